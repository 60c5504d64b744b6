metadata description = 'A virtual network: one subnet for the app, one for private endpoints to storage and vault, one fixed address outwards.'

@description('Name of the virtual network.')
param name string

@description('Name of the network security group of the app subnet.')
param appSecurityGroupName string

@description('Name of the network security group of the endpoint subnet.')
param endpointSecurityGroupName string

@description('Name of the NAT gateway.')
param natGatewayName string

@description('Name of the public address of the NAT gateway.')
param publicIpName string

@description('Region of the network.')
param location string

@description('Tags of every resource.')
param tags object

@description('Address space of the network, CIDR.')
param addressPrefix string

@description('Subnet of the app, inside the address space: /27 or wider, for the app alone.')
param appSubnetPrefix string

@description('Subnet of the private endpoints, inside the address space: /28 or wider.')
param endpointSubnetPrefix string

// The default rules are the right ones here: nothing from the internet gets in, everything gets out. The group exists
// because many organisations refuse a subnet without one, and so that theirs can be added.
resource appSecurityGroup 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: appSecurityGroupName
  location: location
  tags: tags
  properties: {
    securityRules: []
  }
}

resource endpointSecurityGroup 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: endpointSecurityGroupName
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-https-from-app'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: appSubnetPrefix
          sourcePortRange: '*'
          destinationAddressPrefix: endpointSubnetPrefix
          destinationPortRange: '443'
        }
      }
      // Whatever else joins this network later does not get to the data by being in it.
      {
        name: 'deny-all-other'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

// Graph, sign-in and the webhooks are on the internet, and new subnets have no way out of their own. One fixed address
// also lets a receiver of alerts admit it by address.
resource publicIp 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: publicIpName
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    publicIPAddressVersion: 'IPv4'
  }
}

resource natGateway 'Microsoft.Network/natGateways@2024-07-01' = {
  name: natGatewayName
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: publicIp.id
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: appSubnetPrefix
          defaultOutboundAccess: false
          natGateway: {
            id: natGateway.id
          }
          networkSecurityGroup: {
            id: appSecurityGroup.id
          }
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointSubnetPrefix
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: endpointSecurityGroup.id
          }
          // Without this the security group does not hold for private endpoints.
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

@description('Resource id of the network.')
output id string = network.id

@description('Resource id of the subnet of the app.')
output appSubnetId string = network::app.id

@description('Resource id of the subnet of the private endpoints.')
output endpointSubnetId string = network::endpoints.id

@description('The address that the app has outwards.')
output outboundAddress string = publicIp.properties.ipAddress

"""What is measured, against named peers (`make bench`), and hostile input at length (`make fuzz`).

`bench` puts the rows together; each other module measures one thing. May import shared/ and local/'s other rooms.
"""

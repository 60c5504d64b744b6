"""The messages that azure-functions-runtime reads and builds, as plain bags of attributes.

In Azure they are the protobuf classes of azure-functions-language-worker-protobuf; the library needs their names, a few
constants and WhichOneof, and takes any namespace that has these.
"""

from types import SimpleNamespace


class TypedData:
    """One value and its kind: `TypedData(string="x")`; kinds are string, bytes, json, http, int, double."""

    def __init__(self, **field: object) -> None:
        ((self.kind, self.value),) = field.items()
        setattr(self, self.kind, self.value)

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Name the kind of the value."""
        return self.kind


class ParameterBinding(SimpleNamespace):
    """A parameter's name and its data."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Data is always sent as such, never through shared memory."""
        return "data"


class _StatusResult(SimpleNamespace):
    Failure = 0
    Success = 1


class _BindingInfo(SimpleNamespace):
    undefined = 0
    out = 1
    inout = 2


class _RpcHttpCookie(SimpleNamespace):
    # "None" cannot be written as an attribute of a class body.
    SameSite = SimpleNamespace(**{"None": "", "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"})


PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo,
    FunctionMetadataResponse=SimpleNamespace,
    InvocationResponse=SimpleNamespace,
    NullableBool=SimpleNamespace,
    NullableDouble=SimpleNamespace,
    NullableString=SimpleNamespace,
    NullableTimestamp=SimpleNamespace,
    ParameterBinding=ParameterBinding,
    RpcException=SimpleNamespace,
    RpcFunctionMetadata=SimpleNamespace,
    RpcHttp=SimpleNamespace,
    RpcHttpCookie=_RpcHttpCookie,
    RpcRetryOptions=SimpleNamespace,
    StatusResult=_StatusResult,
    Timestamp=SimpleNamespace,
    TypedData=TypedData,
    WorkerInitResponse=SimpleNamespace,
    WorkerMetadata=SimpleNamespace,
)

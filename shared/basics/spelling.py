"""How the free text of a sign-in record is compared."""

import re
from functools import lru_cache
from hashlib import sha256

_HYPHENS = str.maketrans("", "", "-\u2010\u2011")
_MASKED = "user_"
_KEY = re.compile(r"[0-9a-f]{32}")
_HARMLESS = re.compile(r"[a-z0-9]{1,64}")


@lru_cache(4096)
def plain(text: str) -> str:
    """Lower case, without hyphens, runs of white space as one space: for statements, which are sentences."""
    return " ".join(text.translate(_HYPHENS).lower().split())


@lru_cache(4096)
def name_key(text: str | None) -> str:
    """Lower case, without hyphens and white space, so that words and API names meet; "" for nothing.

    "Windows Hello for Business" and "windowsHelloForBusiness" are one name.
    """
    return "".join(text.translate(_HYPHENS).lower().split()) if text else ""


@lru_cache(4096)
def squeezed(text: str) -> str:
    """Letters and digits alone, in lower case: for names whose spelling varies more than a `name_key` bears."""
    return "".join(filter(str.isalnum, text.lower()))


@lru_cache(16384)
def id_key(text: str | None) -> str:
    """A GUID as its hex digits in lower case, whatever hyphens, spaces, braces or case it came with; "" for nothing."""
    return "".join(text.replace("-", "").lower().split()).strip("{}") if text else ""


def is_key(text: str) -> bool:
    """Whether text is 32 hex digits in lower case: the `id_key` of a GUID, or a key that the product made."""
    return _KEY.fullmatch(text) is not None


def key_part(text: str) -> str:
    """Text as a part of a table's key: itself in lower case without hyphens where it is harmless, else its hash."""
    bare = text.lower().replace("-", "")
    return bare if _HARMLESS.fullmatch(bare) else "h" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(4096)
def masked_user_id(user_principal_name: str | None) -> str:
    """The object id in the name under which a customer's log shows a partner's user: `user_<32 hex>@…`, else ""."""
    name = (user_principal_name or "").strip().lower()
    if not name.startswith(_MASKED):
        return ""
    digits, at, _ = name.removeprefix(_MASKED).partition("@")
    return digits if at and is_key(digits) else ""


@lru_cache(4096)
def domain_of(user_principal_name: str | None) -> str:
    """What follows the last @ of a user name, in lower case; "" without one."""
    _, at, domain = (user_principal_name or "").rpartition("@")
    return domain.strip().lower() if at else ""

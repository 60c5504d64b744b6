"""Whether policies together make a delegated admin do MFA whatever they sign in to, by what client, on what platform
and from where. Pure.

Two policies may cover together what neither covers alone: one is for every place but the trusted ones, another for
these; one asks browsers, another blocks legacy clients. So every kind of sign-in that the policies tell apart is looked
at, and each has to meet one that demands MFA or blocks. What is not known is taken as it would be worst: an application
may be in a bundle such as Office365 or not, a place may be in any of the named locations at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

from shared.basics.spelling import id_key, squeezed
from shared.posture.policies import AccessPolicy, AdminInPolicies, Policies, PolicyState, PolicyVerdict, applies_to

_WORDS_FOR_ALL: Final = frozenset({"all"})
_DIGITS: Final = 32  # of an id; what else stands there is a word
# So many bundles or places are looked at in every combination; with more nothing is called covered.
_MOST_TOGETHER: Final = 10
_CLIENTS: Final = (
    ("browser",),
    ("mobileappsanddesktopclients",),
    ("exchangeactivesync", "eassupported"),
    ("exchangeactivesync", "easunsupported"),
    ("other",),
)
_PLATFORMS: Final = ("android", "ios", "windows", "windowsphone", "macos", "linux")

type Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Sign-ins that no policy makes anybody do MFA for: the words and ids of one kind of them (several: what is all of
    these at once). Nothing stands for whatever no policy names, None for all of them alike."""

    application: tuple[str, ...] | None = None
    client: tuple[str, ...] | None = None
    platform: tuple[str, ...] | None = None
    location: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class MfaReach:
    """Who is made to do MFA for every application (keys). `unsure` are those of whom a group or filter decides that is
    not known here."""

    covered: frozenset[str]
    uncovered: frozenset[str]
    unsure: frozenset[str]

    @property
    def answer(self) -> PolicyVerdict:
        """Whether everybody is covered."""
        if self.uncovered:
            return PolicyVerdict.PARTLY if self.covered or self.unsure else PolicyVerdict.NO
        return PolicyVerdict.CANNOT_TELL if self.unsure or not self.covered else PolicyVerdict.YES


def mfa_coverage(policies: Policies, people: Iterable[AdminInPolicies]) -> MfaReach:
    """Which delegated admins the policies together make do MFA for every application, everywhere, or keep out.

    Security defaults count as a policy for everybody. Without a word of Conditional Access nobody can be told.
    """
    told: dict[PolicyVerdict, set[str]] = {
        PolicyVerdict.YES: set(),
        PolicyVerdict.NO: set(),
        PolicyVerdict.CANNOT_TELL: set(),
    }
    counted = counted_policies(policies)
    known: dict[tuple[AccessPolicy, ...], PolicyVerdict] = {}
    for person in people:
        if policies.security_defaults:
            told[PolicyVerdict.YES].add(person.key)
            continue
        if policies.conditional_access is None:
            told[PolicyVerdict.CANNOT_TELL].add(person.key)
            continue
        answer = PolicyVerdict.NO
        for sure in (True, False):
            theirs = policies_for(counted, person, sure=sure)
            if theirs not in known:
                known[theirs] = _covers(theirs)
            if known[theirs] is not PolicyVerdict.NO:
                answer = known[theirs] if sure else PolicyVerdict.CANNOT_TELL
                break
        told[answer].add(person.key)
    return MfaReach(
        *(frozenset(told[answer]) for answer in (PolicyVerdict.YES, PolicyVerdict.NO, PolicyVerdict.CANNOT_TELL))
    )


def counted_policies(policies: Policies) -> list[AccessPolicy]:
    """The policies that are on and make people do MFA, or keep them out, at every moment and over every flow."""
    return [
        policy
        for policy in policies.conditional_access or ()
        if policy.state is PolicyState.ENABLED
        and (policy.demands_mfa or policy.blocks)
        and not policy.narrowed
        and not policy.transfer_methods
    ]


def policies_for(policies: Iterable[AccessPolicy], person: AdminInPolicies, *, sure: bool) -> tuple[AccessPolicy, ...]:
    """Those that are for a person; with `sure` False also those that may be."""
    wanted = (PolicyVerdict.YES,) if sure else (PolicyVerdict.YES, PolicyVerdict.CANNOT_TELL)
    return tuple(policy for policy in policies if applies_to(policy, person) in wanted)


def left_open(policies: Sequence[AccessPolicy]) -> LeftOpen | None:
    """A kind of sign-in that none of these policies is for; None where there is none. Raises TooMany."""
    if any(policy.is_for_everything for policy in policies):
        return None
    if not policies:
        return LeftOpen()
    sides = [_Side(name, [*make(policies)]) for name, make in _SIDES.items()]
    return _search(tuple(policies), sides, {})


class TooMany(Exception):  # noqa: N818
    """There are more bundles or places than can be looked at in every combination."""


def _covers(policies: Sequence[AccessPolicy]) -> PolicyVerdict:
    try:
        return PolicyVerdict.NO if left_open(policies) else PolicyVerdict.YES
    except TooMany:
        return PolicyVerdict.CANNOT_TELL


# --- the kinds of sign-ins --------------------------------------------------------------------------------------------


class _Atom(NamedTuple):
    """What the policies tell apart of one side of a sign-in. `words` are all that it is called at once, `label` what of
    them it is called where it is left open."""

    label: tuple[str, ...]
    words: Words


class _Side(NamedTuple):
    name: str
    atoms: list[_Atom]


class _Rule(NamedTuple):
    """What a policy includes and excludes of one side."""

    includes: Words
    excludes: Words
    empty_is_all: bool = True

    def fits(self, words: Words) -> bool:
        """Whether the policy is for what is called so."""
        everything = bool(self.includes & _WORDS_FOR_ALL) or (self.empty_is_all and not self.includes)
        return (everything or bool(self.includes & words)) and not (self.excludes & (words | _WORDS_FOR_ALL))


def _search(
    policies: tuple[AccessPolicy, ...],
    sides: Sequence[_Side],
    known: dict[tuple[int, tuple[AccessPolicy, ...]], LeftOpen | None],
) -> LeftOpen | None:
    """The first kind that no policy is for, side by side: what the same policies are for is looked at once."""
    if not sides:
        return None
    at = (len(sides), policies)
    if at not in known:
        known[at] = None
        of_atoms = {
            atom: tuple(policy for policy in policies if _rule(sides[0].name, policy).fits(atom.words))
            for atom in sides[0].atoms
        }
        for atom, theirs in of_atoms.items():
            found = _search(theirs, sides[1:], known) if theirs else LeftOpen()
            if found is not None:
                alike = all(other == theirs for other in of_atoms.values())
                known[at] = found if alike else _named(found, sides[0].name, atom.label)
                break
    return known[at]


def _named(found: LeftOpen, side: str, label: tuple[str, ...]) -> LeftOpen:
    return LeftOpen(**{**{name: getattr(found, name) for name in _SIDES}, side: label})


def _rule(side: str, policy: AccessPolicy) -> _Rule:
    key, includes, excludes = _PARTS[side](policy)
    return _Rule(_words(includes, key), _words(excludes, key), empty_is_all=side != "application")


def _words(parts: Collection[str], key: Callable[[str], str]) -> Words:
    return frozenset(map(key, parts))


def _id_or_word(part: str) -> str:
    """An id by its digits, a word by its letters."""
    return id_key(part) if len(id_key(part)) == _DIGITS else squeezed(part)


_PARTS: Final[Mapping[str, Callable[[AccessPolicy], tuple[Callable[[str], str], Collection[str], Collection[str]]]]] = {
    "application": lambda p: (_id_or_word, p.includes.applications, p.excludes.applications),
    "client": lambda p: (squeezed, p.clients, ()),
    "platform": lambda p: (squeezed, p.includes.platforms, p.excludes.platforms),
    "location": lambda p: (_id_or_word, p.includes.locations, p.excludes.locations),
}


def _told(side: str, policies: Iterable[AccessPolicy]) -> list[str]:
    """What the policies name of a side."""
    rules = [_rule(side, policy) for policy in policies]
    named = {word for rule in rules for word in (*rule.includes, *rule.excludes)}
    return sorted(named - _WORDS_FOR_ALL - {"none", ""})


def _applications(policies: Sequence[AccessPolicy]) -> Iterator[_Atom]:
    """Each application that is named, and one that is not, within each combination of the bundles."""
    named = _told("application", policies)
    bundles = [word for word in named if len(word) != _DIGITS]
    for of_bundles in _together(bundles):
        for id_ in ["", *(word for word in named if len(word) == _DIGITS)]:
            yield _Atom((id_,) if id_ else of_bundles, frozenset({id_, *of_bundles}))


def _clients(_policies: Sequence[AccessPolicy]) -> Iterator[_Atom]:
    for words in _CLIENTS:
        yield _Atom(words[:1], frozenset(words))


def _platforms(policies: Sequence[AccessPolicy]) -> Iterator[_Atom]:
    for word in ["", *dict.fromkeys([*_PLATFORMS, *_told("platform", policies)])]:
        yield _Atom((word,) if word else (), frozenset({word}))


def _locations(policies: Sequence[AccessPolicy]) -> Iterator[_Atom]:
    for words in _together(_told("location", policies)):
        yield _Atom(words, frozenset(words))


def _together(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every combination, the smallest first. Raises TooMany."""
    if len(words) > _MOST_TOGETHER:
        raise TooMany
    for n in range(len(words) + 1):
        yield from combinations(words, n)


_SIDES: Final[Mapping[str, Callable[[Sequence[AccessPolicy]], Iterator[_Atom]]]] = {
    "application": _applications,
    "client": _clients,
    "platform": _platforms,
    "location": _locations,
}

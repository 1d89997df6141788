"""Which tokens are good: those that an issuer has signed who is trusted, as they were signed, in their time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from resphere.auth.saml.assertion import GROUPS, UPN, Assertion, Confirmation, Limits
from resphere.auth.saml.documents import DSIG, MOST_TOKEN_BYTES, BadDocument
from resphere.auth.saml.trust import Trust, TrustedIssuer
from resphere.auth.saml.verifying import TokenVerifier
from resphere.auth.saml.writing import SigningKey, sign
from tests.support.examples import examples
from tests.support.saml import DOMAIN, ISSUER, MINUTE, NOON, assertion, held_token, issuer, party, token

HERE = "https://vcenter.example"
SKEW = 10 * MINUTE
GOOD = token()


def verify(text: str, moment: datetime = NOON, *issuers: TrustedIssuer) -> Assertion:
    trust = Trust({each.name: each for each in issuers or (issuer(),)}, frozenset({HERE}))
    return TokenVerifier(lambda: trust).verify(text, moment).assertion


def refusal(text: str, moment: datetime = NOON, *issuers: TrustedIssuer) -> str:
    with pytest.raises(BadDocument) as caught:
        verify(text, moment, *issuers)
    return str(caught.value)


class TestGoodTokens:
    def test_a_bearers_says_what_was_written(self) -> None:
        assert verify(GOOD) == assertion()

    def test_of_the_holder_of_a_key(self) -> None:
        found = verify(held_token("ann"))
        assert found.confirmation is Confirmation.HOLDER_OF_KEY
        assert found.certificate == party("ann").der

    def test_limits_are_read_as_they_were_written(self) -> None:
        limits = Limits(
            audiences=((HERE, "https://other.example"),), renewals=3, delegations=2, delegates=("one@x", "two@x")
        )
        assert verify(token(limits=limits)).limits == limits

    def test_with_an_xml_declaration(self) -> None:
        assert verify(f'<?xml version="1.0" encoding="UTF-8"?>\n{GOOD}\n') == assertion()

    def test_within_another_document_it_was_cut_out_of(self) -> None:
        envelope = etree.fromstring(f'<a xmlns="urn:a" xmlns:b="urn:b"><b:c>{GOOD}</b:c></a>')
        assert verify(etree.tostring(envelope[0][0], encoding="unicode")) == assertion()

    def test_by_any_certificate_of_its_issuer(self) -> None:
        both = issuer(certificates=(party("other").certificate, party("idp").certificate))
        assert verify(GOOD, NOON, both) == assertion()


class TestTime:
    @pytest.mark.parametrize("offset", [-SKEW, timedelta(), 5 * MINUTE + SKEW - timedelta(milliseconds=1)], ids=str)
    def test_good(self, offset: timedelta) -> None:
        verify(GOOD, NOON + offset)

    @pytest.mark.parametrize("offset", [-SKEW - timedelta(milliseconds=1), 5 * MINUTE + SKEW], ids=str)
    def test_not_good(self, offset: timedelta) -> None:
        assert "good" in refusal(GOOD, NOON + offset) or "issued" in refusal(GOOD, NOON + offset)

    def test_the_certificate_of_the_issuer_must_be_good_too(self) -> None:
        moment = datetime(2050, 1, 1, tzinfo=NOON.tzinfo)
        assert "expired" in refusal(token(moment), moment)


class TestAudience:
    @pytest.mark.parametrize("audiences", [(), ((HERE,),), (("https://a", HERE), (HERE,)), (("mine",),)], ids=str)
    def test_meant(self, audiences: tuple[tuple[str, ...], ...]) -> None:
        verify(token(limits=Limits(audiences=audiences)), NOON, issuer(audiences=("mine",)))

    @pytest.mark.parametrize("audiences", [(("https://a",),), ((HERE,), ("https://a",)), ((),)], ids=str)
    def test_not_meant(self, audiences: tuple[tuple[str, ...], ...]) -> None:
        assert "made for" in refusal(token(limits=Limits(audiences=audiences)))

    def test_of_an_issuer_whose_tokens_must_name_one(self) -> None:
        assert "for whom" in refusal(GOOD, NOON, issuer(requires_audience=True))


class TestTrust:
    def test_an_unknown_issuer(self) -> None:
        assert "not trusted" in refusal(token(issuer="https://evil.example"))

    def test_the_name_of_a_trusted_issuer_by_another_key(self) -> None:
        assert "signature" in refusal(token(signer="evil"))

    def test_one_issuer_cannot_speak_for_another(self) -> None:
        evil = issuer(name="https://evil.example", certificates=(party("evil").certificate,))
        assert "signature" in refusal(token(signer="evil"), NOON, issuer(), evil)

    def test_no_signature(self) -> None:
        assert "no" in refusal(re.sub(r"<ds:Signature .*</ds:Signature>", "", GOOD, flags=re.S))


def signature_of(text: str) -> str:
    found = re.search(r"<ds:Signature .*</ds:Signature>", text, re.S)
    assert found is not None
    return found[0]


def evil() -> str:
    """What a thief would like to be said, unsigned."""
    return re.sub(r"<ds:Signature .*</ds:Signature>", "", token(id="_evil", name=f"root@{DOMAIN}"), flags=re.S)


def wrapped_in_object() -> str:
    """The signed assertion inside the signature of the false one."""
    inner = f"<ds:Object>{GOOD.replace(signature_of(GOOD), '')}</ds:Object></ds:Signature>"
    return evil().replace(
        "<saml2:Subject>", signature_of(GOOD).replace("</ds:Signature>", inner) + "<saml2:Subject>", 1
    )


def wrapped_around() -> str:
    """The signed assertion as a child of the false one, whose signature is moved up."""
    stripped = GOOD.replace(signature_of(GOOD), "")
    return evil().replace(
        "<saml2:Subject>", f"{signature_of(GOOD)}<saml2:Advice>{stripped}</saml2:Advice><saml2:Subject>", 1
    )


def wrapped_whole() -> str:
    """The signed assertion, with its signature, as a child of the false one."""
    return evil().replace("<saml2:Subject>", f"<saml2:Advice>{GOOD}</saml2:Advice><saml2:Subject>", 1)


def same_id() -> str:
    """Two assertions of one id."""
    return wrapped_around().replace("_evil", "_token")


def in_a_response() -> str:
    """A document whose root is not the assertion."""
    return f'<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r">{evil()}{GOOD}</Response>'


def second_subject() -> str:
    """A further subject before the signed one."""
    return GOOD.replace(
        "<saml2:Subject>",
        f"<saml2:Subject><saml2:NameID>root@{DOMAIN}</saml2:NameID></saml2:Subject><saml2:Subject>",
        1,
    )


WRAPPINGS: list[Callable[[], str]] = [
    wrapped_in_object,
    wrapped_around,
    wrapped_whole,
    same_id,
    in_a_response,
    second_subject,
]


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda each: each.__name__)
def test_signature_wrapping(wrapping: Callable[[], str]) -> None:
    refusal(wrapping())


def replaced(old: str, new: str) -> str:
    """The good token with a difference."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
TRANSFORM = '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
XSLT = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><x/></ds:Transform>'
XPATH = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1=1</ds:XPath></ds:Transform>'
REFERENCE = re.search(r"<ds:Reference .*</ds:Reference>", GOOD, re.S)
assert REFERENCE is not None

ALTERED = {
    "a comment in the name": replaced("ann@", "ann<!---->@"),
    "a comment at all": replaced("<saml2:Subject>", "<!-- x --><saml2:Subject>"),
    "a comment in the digest": re.sub(r"(<ds:DigestValue>)", r"\1<!-- x -->", GOOD),
    "CDATA": replaced(f"ann@{DOMAIN}", f"<![CDATA[ann@{DOMAIN}]]>"),
    "a processing instruction": replaced("<saml2:Subject>", "<?x?><saml2:Subject>"),
    "a document type": f"<!DOCTYPE a>{GOOD}",
    "an entity": '<!DOCTYPE a [<!ENTITY n "root">]>' + replaced("ann@", "&n;@"),
    "an undeclared entity": replaced("ann@", "&n;@"),
    "an external entity": '<!DOCTYPE a [<!ENTITY n SYSTEM "file:///etc/passwd">]>' + replaced("ann@", "&n;@"),
    "many entities": '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + replaced("ann@", "&b;@"),
    "a style sheet": f'<?xml-stylesheet href="http://evil.example"?>{GOOD}',
    "UTF-16": f'<?xml version="1.0" encoding="UTF-16"?>{GOOD}',
    "another name": replaced("ann@", "bob@"),
    "another group": replaced("Operators", "Administrators"),
    "more time": GOOD.replace("2026-01-02T12:05", "2026-01-02T22:05"),
    "another method": replaced("cm:bearer", "cm:holder-of-key"),
    "SHA-1 digests": replaced("http://www.w3.org/2001/04/xmlenc#sha256", SHA1),
    "SHA-1 signatures": replaced("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", f"{SHA1[:-4]}rsa-sha1"),
    "an HMAC": replaced("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"),
    "no algorithm": replaced('Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"', ""),
    "a style sheet as a transform": replaced(TRANSFORM, XSLT + TRANSFORM),
    "a path as a transform": replaced(TRANSFORM, XPATH + TRANSFORM),
    "no transforms": re.sub(r"<ds:Transforms>.*</ds:Transforms>", "", GOOD),
    "comments kept": replaced(TRANSFORM, TRANSFORM.replace('c14n#"', 'c14n#WithComments"')),
    "the whole document": replaced('URI="#_token"', 'URI=""'),
    "a reference outside": replaced('URI="#_token"', 'URI="http://evil.example/a"'),
    "a reference to a file": replaced('URI="#_token"', 'URI="file:///etc/passwd"'),
    "an XPointer": replaced('URI="#_token"', "URI=\"#xpointer(id('_token'))\""),
    "two references": replaced(REFERENCE[0], REFERENCE[0] * 2),
    "no reference": replaced(REFERENCE[0], ""),
    "two signatures": replaced(signature_of(GOOD), signature_of(GOOD) * 2),
    "no id": replaced('ID="_token"', ""),
    "an id twice": replaced("<saml2:Subject>", '<saml2:Subject Id="_token">'),
    "an empty digest": re.sub(r"<ds:DigestValue>[^<]*", "<ds:DigestValue>", GOOD),
    "a digest that is no Base64": re.sub(r"<ds:DigestValue>[^<]*", "<ds:DigestValue>ä", GOOD),
    "elements in the signature's value": replaced("<ds:SignatureValue>", "<ds:SignatureValue><a/>"),
    "an empty signature": re.sub(r"<ds:SignatureValue>[^<]*", "<ds:SignatureValue>", GOOD),
    "version 1.1": replaced('Version="2.0"', 'Version="1.1"'),
    "nothing": "",
    "no XML": "Basic YTpi",
    "half of it": GOOD[: len(GOOD) // 2],
    "another element": "<a/>",
    "deep": "<a>" * 100_000,
    "deep and whole": "<a>" * 5000 + "</a>" * 5000,
    "a lone surrogate": replaced("ann@", "\ud800@"),
    "a null": replaced("ann@", "ann\0@"),
    "large": replaced("<saml2:Subject>", " " * MOST_TOKEN_BYTES + "<saml2:Subject>"),
    "many attributes": replaced(
        "<saml2:Subject>", "<a " + " ".join(f'b{n}=""' for n in range(20_000)) + "/><saml2:Subject>"
    ),
}


@pytest.mark.parametrize("text", ALTERED.values(), ids=ALTERED.keys())
def test_altered(text: str) -> None:
    refusal(text)


NAME_ID = f'<saml2:NameID Format="{UPN}">ann@{DOMAIN}</saml2:NameID>'
CONDITIONS = re.search(r"<saml2:Conditions [^>]*/>", GOOD)
CONFIRMATION = re.search(r"<saml2:SubjectConfirmation .*</saml2:SubjectConfirmation>", GOOD)
assert CONDITIONS is not None
assert CONFIRMATION is not None
WITH_CONDITION = CONDITIONS[0].replace("/>", "><{}/></saml2:Conditions>")

SIGNED_BUT_BAD = {
    "no name": (f"ann@{DOMAIN}</", "</"),
    "a name with a line break": ("ann@", "ann&#10;root@"),
    "a name with elements": ("ann@", "<b>ann</b>@"),
    "two names": (NAME_ID, NAME_ID * 2),
    "no subject": ("saml2:Subject>", "saml2:Object>"),
    "no issuer": (f"{ISSUER}</", "</"),
    "no conditions": (CONDITIONS[0], ""),
    "a condition for one use": (CONDITIONS[0], WITH_CONDITION.format("saml2:OneTimeUse")),
    "an unknown condition": (CONDITIONS[0], WITH_CONDITION.format('saml2:Condition xsi:type="xs:Unknown"')),
    "a condition of nobody's": (CONDITIONS[0], WITH_CONDITION.format('a xmlns="urn:a"')),
    "a count that is none": (CONDITIONS[0], WITH_CONDITION.format('saml2:ProxyRestriction Count="-1"')),
    "no end": (' NotOnOrAfter="2026-01-02T12:05:00.000Z"', ""),
    "moments without a zone": ("2026-01-02T12:05:00.000Z", "2026-01-02T12:05:00.000"),
    "moments that are none": ("2026-01-02T12:05:00.000Z", "2026-13-02T12:05:00.000Z"),
    "the year 10000": ("2026-01-02T12:05:00.000Z", "10000-01-02T12:05:00.000Z"),
    "two confirmations": (CONFIRMATION[0], CONFIRMATION[0] * 2),
    "no confirmation": (CONFIRMATION[0], ""),
    "confirmed by a sender": ("cm:bearer", "cm:sender-vouches"),
    "the holder of no key": ("cm:bearer", "cm:holder-of-key"),
    "version 1.1": ('Version="2.0"', 'Version="1.1"'),
}
"""What a trusted issuer has signed, and nobody should take: (what stands in a good token, what instead)."""


@pytest.mark.parametrize(("old", "new"), SIGNED_BUT_BAD.values(), ids=SIGNED_BUT_BAD.keys())
def test_signed_but_not_understood(old: str, new: str) -> None:
    text = re.sub(
        r"<ds:Signature .*</ds:Signature>",
        f'<ds:Signature xmlns:ds="{DSIG}" Id="placeholder"/>',
        GOOD,
        flags=re.S,
    )
    assert old in text
    by = party("idp")
    signed = sign(etree.fromstring(text.replace(old, new)), SigningKey(by.key, by.certificate))
    refusal(signed, NOON, issuer(), issuer(name=""))


class TestWhatIsNotSigned:
    """Nothing of a document is believed but what was signed."""

    def test_prefixes_of_types_may_be_anything(self) -> None:
        limits = Limits(renewals=3)
        text = token(limits=limits).replace(
            'xmlns:rsa="http://www.rsa.com/names/2009/12/std-ext/SAML2.0"', 'xmlns:rsa="urn:x"'
        )
        assert verify(text).limits == limits

    def test_certificates_in_the_signature_change_nothing(self) -> None:
        text = re.sub(r"<ds:X509Certificate>[^<]*", f"<ds:X509Certificate>{party('evil').certificate_pem}", GOOD)
        assert verify(text) == assertion()


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"), st.sampled_from(["put", "insert", "drop"]))
@example(0, "<", "drop")
@settings(max_examples=examples(400))
def test_no_altered_token_says_anything_else(place: int, character: str, how: str) -> None:
    rest = GOOD[place + 1 :] if how != "insert" else GOOD[place:]
    text = GOOD[:place] + ("" if how == "drop" else character) + rest
    try:
        found = verify(text)
    except BadDocument:
        return
    assert found == assertion()


@given(st.data())
@settings(max_examples=examples(300))
def test_no_moved_elements_say_anything_else(data: st.DataObject) -> None:
    """Elements of two tokens, one of them by a stranger, moved, copied and dropped at will."""
    root, other = etree.fromstring(GOOD), etree.fromstring(token(signer="evil", name=f"root@{DOMAIN}", id="_evil"))
    for _ in range(data.draw(st.integers(1, 3))):
        elements = list(root.iter())
        sources = [*elements, *other.iter()]
        source = sources[data.draw(st.integers(0, len(sources) - 1))]
        place = elements[data.draw(st.integers(0, len(elements) - 1))]
        if data.draw(st.booleans()):
            copy = etree.fromstring(etree.tostring(source, with_tail=False))
            place.insert(data.draw(st.integers(0, len(place))), copy)
        elif (parent := place.getparent()) is not None:
            parent.remove(place)
    try:
        found = verify(etree.tostring(root, encoding="unicode"))
    except BadDocument:
        return
    assert found == assertion()


@given(st.text())
@settings(max_examples=examples(200))
def test_any_text_is_refused(text: str) -> None:
    refusal(text)


def test_groups_are_those_of_the_token() -> None:
    assert verify(GOOD).values(GROUPS) == (f"{DOMAIN}\\Operators",)

"""Mails as servers return them: in the shapes of the great ones and of the odd ones.

Each is written for these tests after what such servers send. In them `{verp}` is the address
that the mail came back to, `{mark}` the token, `{name}` the Message-ID, `{to}` the recipient.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Sample:
    """A returned mail, and what is to be read from it."""

    name: str
    text: str
    kind: str
    code: str = ""
    hard: bool = False
    what: str = "bounced"
    recipient: str | None = "ana@example.com"
    charset: str = "utf-8"

    def content(self, **given: str) -> bytes:
        """As bytes, with the lines that SMTP writes."""
        text = dedent(self.text).lstrip("\n")
        for name, value in given.items():
            text = text.replace("{" + name + "}", value)
        return text.replace("\n", "\r\n").encode(self.charset, "replace")


ORIGINAL = """\
Received: from mail.acme.example by mx.example.com; Fri, 4 Oct 2024 00:00:00 +0000
X-Flowscore-Message: {mark}
From: Acme <hello@acme.example>
To: ana@example.com
Subject: Hello
Message-ID: {name}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hi, this is the news.
"""


def _report(head: str, said: str, status: str, original: str = ORIGINAL) -> str:
    """multipart/report as RFC 3462 has it."""
    return (
        f"{dedent(head).strip()}\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status;\n"
        ' boundary="=_cut"\n\nThis is a MIME-encapsulated message.\n\n--=_cut\n'
        f"Content-Type: text/plain; charset=utf-8\n\n{dedent(said).strip()}\n\n--=_cut\n"
        f"Content-Type: message/delivery-status\n\n{dedent(status).strip()}\n\n--=_cut\n"
        f"Content-Type: message/rfc822\n\n{original}\n--=_cut--\n"
    )


FROM = "From: MAILER-DAEMON@mx.example.com (Mail Delivery System)\nTo: {verp}\nSubject: Returned"

POSTFIX = _report(
    """
    Return-Path: <>
    Delivered-To: {verp}
    Date: Fri,  4 Oct 2024 00:00:01 +0000 (UTC)
    From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
    Subject: Undelivered Mail Returned to Sender
    To: {verp}
    Auto-Submitted: auto-replied
    Message-Id: <20241004000001.ABCDEF0123@mx.example.com>
    """,
    """
    This is the mail system at host mx.example.com.

    I'm sorry to have to inform you that your message could not
    be delivered to one or more recipients. It's attached below.

    <ana@example.com>: host 192.0.2.7[192.0.2.7] said: 550 5.1.1
        <ana@example.com>: Recipient address rejected: User unknown (in reply to RCPT TO command)
    """,
    """
    Reporting-MTA: dns; mx.example.com
    X-Postfix-Queue-ID: ABCDEF0123
    Arrival-Date: Fri,  4 Oct 2024 00:00:00 +0000 (UTC)

    Final-Recipient: rfc822; ana@example.com
    Original-Recipient: rfc822;ana@example.com
    Action: failed
    Status: 5.1.1
    Remote-MTA: dns; 192.0.2.7
    Diagnostic-Code: smtp; 550 5.1.1 <ana@example.com>: Recipient address rejected:
        User unknown
    """,
)

SENDMAIL = _report(
    "From: Mail Delivery Subsystem <MAILER-DAEMON@relay.example.com>\nTo: <{verp}>\n"
    "Subject: Returned mail: see transcript for details\nAuto-Submitted: auto-generated (failure)",
    """
    The original message was received at Fri, 4 Oct 2024 02:00:00 +0200
    from mail.acme.example [192.0.2.1]

       ----- The following addresses had permanent fatal errors -----
    <ana@example.com>
        (reason: 552 5.2.2 Over quota)
    """,
    """
    Reporting-MTA: dns; relay.example.com
    Received-From-MTA: DNS; mail.acme.example
    Arrival-Date: Fri, 4 Oct 2024 02:00:00 +0200

    Final-Recipient: RFC822; ana@example.com
    Action: failed
    Status: 5.2.2
    Remote-MTA: DNS; mx.example.com
    Diagnostic-Code: SMTP; 552 5.2.2 Over quota
    Last-Attempt-Date: Fri, 4 Oct 2024 02:00:03 +0200
    """,
)

GMAIL = _report(
    "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: {verp}\n"
    "Auto-Submitted: auto-replied\nSubject: Delivery Status Notification (Failure)\n"
    "X-Failed-Recipients: ana@example.com",
    """
    ** Address not found **

    Your message wasn't delivered to ana@example.com because the address couldn't be found.
    """,
    """
    Reporting-MTA: dns; googlemail.com
    Arrival-Date: Thu, 03 Oct 2024 17:00:00 -0700 (PDT)
    X-Original-Message-ID: {name}

    Final-Recipient: rfc822; ana@example.com
    Action: failed
    Status: 5.1.1
    Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
     Please try
     550-5.1.1 double-checking the recipient's email address for typos 550 5.1.1
    Last-Attempt-Date: Thu, 03 Oct 2024 17:00:01 -0700 (PDT)
    """,
)

EXCHANGE = _report(
    "From: <postmaster@corp.example>\nTo: <{verp}>\nSubject: Undeliverable: Hello\n"
    "X-MS-Exchange-Message-Is-Ndr:\nAuto-Submitted: auto-replied",
    """
    Delivery has failed to these recipients or groups:
    ana@example.com
    The email address you entered couldn't be found.
    """,
    """
    Reporting-MTA: dns;AM0PR01MB0001.corp.example
    Received-From-MTA: dns;mail.acme.example
    Arrival-Date: Fri, 4 Oct 2024 00:00:00 +0000

    Final-Recipient: rfc822;ana@example.com
    Action: failed
    Status: 5.1.10
    Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP
     address lookup
    """,
)

BLOCKED = _report(
    FROM,
    "Your message was rejected.",
    """
    Reporting-MTA: dns; mx.example.com

    Final-Recipient: rfc822; ana@example.com
    Action: failed
    Status: 5.7.1
    Diagnostic-Code: smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using
     a list; mailbox owner unknown to us
    """,
)

VAGUE_STATUS = _report(
    FROM,
    "An error occurred.",
    """
    Reporting-MTA: dns; mta7.yahoo.example

    Final-Recipient: rfc822; ana@example.com
    Action: failed
    Status: 5.0.0
    Diagnostic-Code: smtp; 554 delivery error: dd This user doesn't have a yahoo.example account
     (ana@example.com) [0]
    """,
)

EXPIRED = _report(
    FROM,
    "Delivery expired (message too old).",
    """
    Reporting-MTA: dns; relay.example.com

    Final-Recipient: rfc822;ana@example.com
    Action: failed
    Status: 4.4.7
    Diagnostic-Code: smtp;421 4.4.2 mx.example.com Error: timeout exceeded
    """,
)

DELAYED = _report(
    FROM,
    "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.",
    """
    Reporting-MTA: dns; mx.example.com

    Final-Recipient: rfc822; ana@example.com
    Action: delayed
    Status: 4.4.1
    Diagnostic-Code: X-Postfix; connect to example.com[192.0.2.7]:25: Connection timed out
    Will-Retry-Until: Wed,  9 Oct 2024 00:00:00 +0000 (UTC)
    """,
)

LARGE = _report(
    FROM,
    "Too large.",
    """
    Reporting-MTA: dns; mx.example.com

    Final-Recipient: rfc822; ana@example.com
    Action: failed
    Status: 5.3.4
    Diagnostic-Code: smtp; 552 5.3.4 Message size exceeds fixed limit
    """,
)

SES = _report(
    "From: MAILER-DAEMON@eu-west-1.amazonses.com\nTo: {verp}\n"
    "Subject: Delivery Status Notification (Failure)",
    """
    An error occurred while trying to deliver the mail to the following recipients:
    ana@example.com
    """,
    """
    Reporting-MTA: dns; a7-11.smtp-out.eu-west-1.amazonses.com

    Action: failed
    Final-Recipient: rfc822; ana@example.com
    Diagnostic-Code: smtp; 550 5.1.1 <ana@example.com>: Email address could not be found, or was
     misspelled
    Status: 5.1.1
    """,
)

HEADERS_ALONE = POSTFIX.replace("message/rfc822", "text/rfc822-headers")

UTF8_REPORT = (
    POSTFIX.replace("message/delivery-status", "message/global-delivery-status")
    .replace("message/rfc822", "message/global-headers")
    .replace("rfc822; ana@example.com", "utf-8; añá@example.com")
    .replace("Original-Recipient: rfc822;ana@example.com\n", "")
)

FORWARDED = (
    "Return-Path: <postmaster@acme.example>\nFrom: Postmaster <postmaster@acme.example>\n"
    "To: bounces@mail.example.com\nSubject: Fwd: Undelivered\nMIME-Version: 1.0\n"
    'Content-Type: multipart/mixed; boundary="outer"\n\n--outer\n'
    "Content-Type: text/plain\n\nThis one was lying in my mailbox.\n\n--outer\n"
    f"Content-Type: message/rfc822\n\n{POSTFIX}\n--outer--\n"
)

EXIM = """
Return-path: <>
Envelope-to: {verp}
X-Failed-Recipients: ana@example.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example.com>
To: {verp}
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abcde-0001ab-2C@exim.example.com>

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ana@example.com
    SMTP error from remote mail server after RCPT TO:<ana@example.com>:
    host mx.example.com [192.0.2.7]: 550 5.1.1 <ana@example.com>... User unknown

------ This is a copy of the message, including all the headers. ------

Return-path: <{verp}>
""" + ORIGINAL  # fmt: skip

EXIM_UNROUTEABLE = """
X-Failed-Recipients: ana@example.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example.com>
To: {verp}
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ana@example.com
    Unrouteable address
"""

QMAIL = """
Return-Path: <>
From: MAILER-DAEMON@qmail.example.com
To: {verp}
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ana@example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <{verp}>
""" + ORIGINAL  # fmt: skip

YAHOO = """
From: MAILER-DAEMON@yahoo.com
To: {verp}
Subject: Failure Notice

Sorry, we were unable to deliver your message to the following address.

<ana@example.com>:
Remote host said: 452 4.2.2 The recipient's inbox is out of storage space [RCPT_TO]

--- Below this line is a copy of the message.

""" + ORIGINAL  # fmt: skip

OUTLOOK = """
From: System Administrator <postmaster@corp.example>
To: {verp}
Subject: Undeliverable: Hello
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="ole"

--ole
Content-Type: text/plain; charset="iso-8859-1"

Your message

  To:      ana@example.com
  Subject: Hello
  Sent:    Fri, 4 Oct 2024 02:00:00 +0200

did not reach the following recipient(s):

ana@example.com on Fri, 4 Oct 2024 02:00:05 +0200
    The recipient name is not recognized
	The MTS-ID of the original message is: c=de;a= ;p=corp;l=CORP0-1
    MSEXCH:IMS:Corp:Site:SERVER 0 (000C05A6) Unknown Recipient

--ole
Content-Type: message/rfc822

""" + ORIGINAL + "\n--ole--\n"  # fmt: skip

SPANISH = """
From: "Sistema de correo" <postmaster@correo.example>
To: {verp}
Subject: =?iso-8859-1?Q?No_se_entreg=F3_el_mensaje?=
MIME-Version: 1.0
Content-Type: text/plain; charset="x-unknown-8bit"
Content-Transfer-Encoding: 8bit

El mensaje no llegó a su destinatario:

ana@example.com: el buzón está lleno (código 5.2.2). Inténtelo más tarde.
"""

GOOGLE_WARNING = """
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: {verp}
Subject: Delivery Status Notification (Delay)

This is an automatically generated Delivery Status Notification

THIS IS A WARNING MESSAGE ONLY.

Delivery to the following recipient has been delayed:

     ana@example.com

Message will be retried for 2 more day(s)
"""


def _feedback(fields: str, original: str = ORIGINAL, kind: str = "message/rfc822") -> str:
    """A complaint as RFC 5965 has it."""
    return (
        "From: <feedback@isp.example>\nTo: <{verp}>\nSubject: complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="fbl"\n\n--fbl\n'
        "Content-Type: text/plain\n\nThis is an email abuse report.\n\n--fbl\n"
        f"Content-Type: message/feedback-report\n\n{dedent(fields).strip()}\n\n--fbl\n"
        f"Content-Type: {kind}\n\n{original}\n--fbl--\n"
    )


ARF = _feedback(
    """
    Feedback-Type: abuse
    User-Agent: IspFeedback/1.0
    Version: 1
    Original-Mail-From: <{verp}>
    Original-Rcpt-To: <ana@example.com>
    Arrival-Date: Fri, 4 Oct 2024 00:00:00 +0000
    Source-IP: 192.0.2.1
    """
)

ARF_REDACTED = _feedback(
    "Feedback-Type: abuse\nUser-Agent: IspFeedback/1.0\nVersion: 1",
    ORIGINAL.replace("ana@example.com", "redacted@isp.example"),
    "text/rfc822-headers",
)

OPT_OUT = _feedback(
    "Feedback-Type: opt-out\nUser-Agent: Isp/1\nVersion: 1\nRemoval-Recipient: ana@example.com"
)

GONE = "no_such_address"
SAMPLES = (
    Sample("postfix", POSTFIX, GONE, "5.1.1", hard=True),
    Sample("sendmail", SENDMAIL, "mailbox_full", "5.2.2"),
    Sample("gmail", GMAIL, GONE, "5.1.1", hard=True),
    Sample("exchange", EXCHANGE, GONE, "5.1.10", hard=True),
    Sample("amazon ses", SES, GONE, "5.1.1", hard=True),
    Sample("blocked", BLOCKED, "refused", "5.7.1"),
    Sample("vague status", VAGUE_STATUS, GONE, "5.0.0", hard=True),
    Sample("expired", EXPIRED, "unreachable", "4.4.2"),
    Sample("delayed", DELAYED, "delayed", "4.4.1"),
    Sample("too large", LARGE, "too_large", "5.3.4"),
    Sample("headers alone", HEADERS_ALONE, GONE, "5.1.1", hard=True),
    Sample("utf-8 report", UTF8_REPORT, GONE, "5.1.1", hard=True, recipient="añá@example.com"),
    Sample("forwarded", FORWARDED, GONE, "5.1.1", hard=True),
    Sample("exim", EXIM, GONE, "5.1.1", hard=True),
    Sample("exim unrouteable", EXIM_UNROUTEABLE, GONE, "5.0.0", hard=True),
    Sample("qmail", QMAIL, GONE, "5.1.1", hard=True),
    Sample("yahoo", YAHOO, "mailbox_full", "4.2.2"),
    Sample("outlook", OUTLOOK, GONE, "5.0.0", hard=True),
    Sample("spanish", SPANISH, "mailbox_full", "5.2.2", recipient=None, charset="latin-1"),
    Sample("google warning", GOOGLE_WARNING, "delayed"),
    Sample("arf", ARF, "abuse", what="complained"),
    Sample("arf redacted", ARF_REDACTED, "abuse", what="complained", recipient=None),
    Sample("opt-out", OPT_OUT, "opt-out", what="unsubscribed"),
)

DELIVERED = _report(
    FROM,
    "Delivered.",
    """
    Reporting-MTA: dns; mx.example.com

    Final-Recipient: rfc822; ana@example.com
    Action: delivered
    Status: 2.0.0
    """,
)

OUT_OF_OFFICE = """
Return-Path: <>
From: Ana <ana@example.com>
To: {verp}
Subject: Automatic reply: Hello
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All

I am out of the office until Monday. The old address ana@example.net does not exist any more,
mail to it fails with 550 5.1.1.
"""

VACATION = """
From: Ana <ana@example.com>
To: {verp}
Subject: Estoy fuera
Precedence: auto_reply

Vuelvo el lunes.
"""

NOT_SPAM = _feedback("Feedback-Type: not-spam\nUser-Agent: Isp/1\nVersion: 1")
AUTH_FAILURE = _feedback("Feedback-Type: auth-failure\nUser-Agent: Isp/1\nVersion: 1")
NOTHING_TO_DO = {
    "delivered": DELIVERED,
    "out of office": OUT_OF_OFFICE,
    "vacation": VACATION,
    "not spam": NOT_SPAM,
    "authentication": AUTH_FAILURE,
}

REPLY = """
From: Ana <ana@example.com>
To: {verp}
Subject: Re: Hello

Thank you, but who are you? My friend said that user unknown was 550 5.1.1.
"""

from accounts.sent_mails import MailKind, SentMail

__all__ = ["MailKind", "SentMail"]

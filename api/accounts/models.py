from accounts.mfa.models import BackupCode, MfaMethod
from accounts.oidc.models import OidcIdentity
from accounts.sent_mails import MailKind, SentMail

__all__ = ["BackupCode", "MailKind", "MfaMethod", "OidcIdentity", "SentMail"]

"""Basic authentication that pays for the slow password hash once, not at every call.

A credential that was right is remembered for a few minutes as a keyed digest bound to the stored
hash; a changed password or a disabled account ends it at once.
"""

import time

from django.contrib.auth import get_user_model
from django.utils.crypto import salted_hmac
from rest_framework.authentication import BasicAuthentication

REMEMBERED_S = 300
MOST_REMEMBERED = 100
_verified = {}


def _digest(user, password):
    return salted_hmac("platform", f"{user.password}\x00{password}", algorithm="sha256").digest()


class RememberingBasicAuthentication(BasicAuthentication):
    """HTTP Basic, checked in full once in five minutes."""

    def authenticate_credentials(self, userid, password, request=None):
        """DRF's contract: (user, None), or AuthenticationFailed."""
        user = get_user_model().objects.filter(username=userid, is_active=True).first()
        if user is not None:
            until = _verified.get(_digest(user, password), 0)
            if time.monotonic() < until:
                return user, None
        checked = super().authenticate_credentials(userid, password, request)
        if len(_verified) >= MOST_REMEMBERED:
            _verified.clear()
        _verified[_digest(checked[0], password)] = time.monotonic() + REMEMBERED_S
        return checked

"""Why a message cannot be read, without a word of what is in it: whoever sent it may have sent rows."""

from __future__ import annotations

import binascii
import json


def fault(error: Exception) -> str:
    """Of what reading JSON, and the fields in it, raises."""
    match error:
        case json.JSONDecodeError():
            return f"it is not JSON from character {error.pos} on"
        case UnicodeDecodeError():
            return f"it is not UTF-8 from byte {error.start} on"
        case UnicodeEncodeError():
            return "a text in it has half a surrogate pair"
        case binascii.Error():
            return "the data is not base64"
        case KeyError():
            return f"{error} is missing"  # a name that we asked for
    return "it does not have the documented shape"

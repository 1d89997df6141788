"""What Python had until 3.8, and dcli 3.0 takes for granted where it reads its credential store."""

import base64

base64.encodestring = base64.encodebytes  # type: ignore[attr-defined]
base64.decodestring = base64.decodebytes  # type: ignore[attr-defined]

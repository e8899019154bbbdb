"""Which release this is: said once, for the package, the command and the OpenAPI document."""

from typing import Final

RELEASE: Final = "0.1.0"

"""The web application for any WSGI server: `waitress-serve wsgi:app`, `gunicorn wsgi:app`.

Settings come from the environment; a weak one stops the start with one line.
"""

import sys

from portal.app import create_app
from portal.core.config import BadSettings, load_settings

try:
    app = create_app(load_settings())
except BadSettings as refused:
    sys.exit(str(refused))

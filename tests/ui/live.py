"""The portal on a real port of this machine, served by threads of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from sqlalchemy import Engine
from werkzeug.serving import make_server

from portal.core.db import session
from portal.core.web import Portal


@contextmanager
def served(app: Portal) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 inside the block; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    engine = session.get_bind()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        session.remove()
        if isinstance(engine, Engine):
            engine.dispose()

"""A module that, imported, leaves a thread running: no process with it may be forked."""

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()

"""Time limits. A test waits for an event and never for time to pass; these limits only end a wait that would never end."""

import os

# Sanitizers make the broker five to fifteen times slower; CHAPPE_SLOW=1 says that one is in use.
SCALE = 6 if os.environ.get("CHAPPE_SLOW") == "1" else 1

# Long enough for a machine that is busy with other tests, short enough to see a hang within a run.
EVENT_SECONDS = 15 * SCALE
START_SECONDS = 20 * SCALE
BULK_SECONDS = 60 * SCALE
STOP_SECONDS = 10 * SCALE
CLASS_SECONDS = 240 if SCALE == 1 else 1700  # All tests of one class; ./test gives all classes 1800.

"""What a client that has subscribed to `$SYS/#` has been told of the broker's values."""

BEGINNING = "$SYS/broker/"


class SysValues:
    """The values by their names without the beginning. messages() gives all that the client has been sent so far, and
    wait(condition, what) waits for more."""

    def __init__(self, messages, wait):
        self._messages, self._wait = messages, wait

    def all(self):
        """The last of each, as text: the broker says only what has changed."""
        return {message.topic.removeprefix(BEGINNING): message.payload.decode() for message in self._messages()
                if message.topic.startswith(BEGINNING)}

    def reaches(self, name, condition, what="what is expected"):
        """Waits until condition(value) is true: a value may come a round later than another one."""
        self._wait(lambda: (value := self.all().get(name)) is not None and condition(value), f"{name}: {what}")

    def becomes(self, name, wanted):
        self.reaches(name, lambda value: value == wanted, wanted)

    def rounds(self):
        """How many rounds have begun; each begins with the uptime."""
        return sum(message.topic == BEGINNING + "uptime" and not message.retain for message in self._messages())

    def wait_round(self, since=0):
        """Waits for a whole round that was begun after round number `since` had come: that is the second from there, as the
        first may have been under way. It is whole when the third begins."""
        self._wait(lambda: self.rounds() >= since + 3, "whole round of $SYS")

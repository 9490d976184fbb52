"""The clients, in the order of the report: ours and the floors first, then the peers."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Client:
    name: str  # of the program
    label: str
    is_floor: bool = False


OURS = Client("taro", "libtaro_socket")
ALL = (
    Client("floor", "floor, blocking", is_floor=True),
    Client("epoll_floor", "floor, epoll", is_floor=True),
    OURS,
    Client("lws", "libwebsockets"),
    Client("beast", "Boost.Beast"),
    Client("tungstenite", "tokio-tungstenite"),
    Client("tokio_websockets", "tokio-websockets"),
    Client("fastwebsockets", "fastwebsockets"),
)

//! The life of a connection, and what may be done in each part of it. Pure: no I/O, no locks.

use super::event::ReadyState;

/// Where the connection is. What the host has been told lags behind: that is `ReadyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Connecting,
    Open,
    /// The peer's close frame came; ours is on its way.
    PeerClosing,
    /// The host's close was accepted.
    Closing,
    Ended,
}

/// What a close of the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseStep {
    /// The host was not told `open` yet: it ends here and now.
    Cancel,
    /// The closing handshake begins.
    Handshake,
    /// Ended, or closing already.
    Refuse,
}

impl Phase {
    pub fn accepts_messages(self, told: ReadyState) -> bool {
        self == Phase::Open && told == ReadyState::Open
    }

    pub fn on_close(self, told: ReadyState) -> CloseStep {
        match (self, told) {
            (Phase::Connecting | Phase::Open | Phase::PeerClosing, ReadyState::Connecting) => {
                CloseStep::Cancel
            }
            (Phase::Open, ReadyState::Open) => CloseStep::Handshake,
            _ => CloseStep::Refuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [Phase; 5] =
        [Phase::Connecting, Phase::Open, Phase::PeerClosing, Phase::Closing, Phase::Ended];
    const TOLD: [ReadyState; 4] =
        [ReadyState::Connecting, ReadyState::Open, ReadyState::Closing, ReadyState::Closed];

    #[test]
    fn only_a_told_open_socket_sends() {
        for phase in PHASES {
            for told in TOLD {
                let open = phase == Phase::Open && told == ReadyState::Open;
                assert_eq!(phase.accepts_messages(told), open);
            }
        }
    }

    #[test]
    fn a_second_close_is_refused() {
        for told in TOLD {
            assert_eq!(Phase::Closing.on_close(told), CloseStep::Refuse);
            assert_eq!(Phase::Ended.on_close(told), CloseStep::Refuse);
        }
        for phase in PHASES {
            assert_eq!(phase.on_close(ReadyState::Closing), CloseStep::Refuse);
            assert_eq!(phase.on_close(ReadyState::Closed), CloseStep::Refuse);
        }
    }

    #[test]
    fn before_open_was_told_a_close_cancels() {
        assert_eq!(Phase::Connecting.on_close(ReadyState::Connecting), CloseStep::Cancel);
        assert_eq!(Phase::Open.on_close(ReadyState::Connecting), CloseStep::Cancel);
        assert_eq!(Phase::Open.on_close(ReadyState::Open), CloseStep::Handshake);
    }
}

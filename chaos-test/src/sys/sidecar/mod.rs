//! What a helper in a container does: what it is asked to, one line of JSON at a time.
//!
//! Purpose: this side runs in the container, before the program's `main`, as its first process.
//!
//! Invariants: it ends when its standard input closes, and with it everything it has made.
//! Not here: how it gets there and who asks (`sys/docker`).

mod crash;
mod echo;
pub(crate) mod groups;
mod measure;
pub(crate) mod net;
mod work;

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

#[cfg(feature = "containers")]
pub(crate) use measure::PATIENCE;
pub(crate) use work::{OWN_LAYER, Progress, WorkOrder};

/// What a helper is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub(crate) enum Order {
    /// Say that it is there.
    Hello,
    /// Work in the groups of a container.
    Work(WorkOrder),
    /// End that process of that container, by its number here; or only see that it could be done.
    Crash { pid: u32, container: String, really: bool },
    /// Do something to the packets of the network it is in.
    Net { net: net::Order },
    /// Undo all it has done, and end.
    End,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reply")]
pub(crate) enum Reply {
    Done,
    Working(Progress),
    Net { net: net::Reply },
    Failed { code: Option<i32>, text: String },
}

/// Serves whoever holds the other end of standard input, until it closes.
pub(crate) fn serve() {
    let mut output = io::stdout();
    let mut doing = Doing::default();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let order = serde_json::from_str::<Order>(&line);
        let last = matches!(order, Ok(Order::End));
        let reply = match order.map_err(io::Error::from).and_then(|order| doing.obey(order)) {
            Ok(reply) => reply,
            Err(error) => Reply::Failed { code: error.raw_os_error(), text: error.to_string() },
        };
        let Ok(mut line) = serde_json::to_vec(&reply) else { break };
        line.push(b'\n');
        if output.write_all(&line).and_then(|()| output.flush()).is_err() || last {
            break;
        }
    }
    // Some things outlive a process that does not take them back.
    let _ = doing.undo();
}

/// What it has under way.
#[derive(Default)]
struct Doing {
    packets: net::Packets,
}

impl Doing {
    fn obey(&mut self, order: Order) -> io::Result<Reply> {
        match order {
            Order::Hello => {}
            Order::Net { net } => return Ok(Reply::Net { net: self.packets.obey(net)? }),
            Order::Work(order) => {
                return Ok(work::obey(order)?.map_or(Reply::Done, Reply::Working));
            }
            Order::Crash { pid, container, really } => crash::end(pid, &container, really)?,
            Order::End => self.undo()?,
        }
        Ok(Reply::Done)
    }

    fn undo(&mut self) -> io::Result<()> {
        self.packets.undo()
    }
}

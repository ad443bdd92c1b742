//! Tables of the packet filter that live as long as the socket they were made with.

use std::io;

use super::applied::Which;
use super::link::LOOPBACK;
use super::netlink::{ACK, CREATE, Message, Netlink, REQUEST};

const NFNL_SUBSYS_NFTABLES: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = 0;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const DELETE_RULE: u16 = 8;

/// All of the Internet's packets.
const INET: u8 = 1;
/// Those of its fourth version.
const IP: u8 = 2;

/// The kernel removes such a table with its owner's socket, and lets nobody else change it.
const OWNED: u32 = 2;
/// The hook for what is delivered here. A drop where packets go out would be told to whoever sends them.
const LOCAL_IN: u32 = 1;
const CHAIN: &str = "in";
const DROP: u32 = 0;

const VERDICT: u32 = 0;
const REGISTER: u32 = 1;
/// Of how many packets a share is counted.
const WHOLE: u32 = 1_000_000;

/// A table of ours, until this is dropped.
#[derive(Debug)]
pub(crate) struct Table {
    netlink: Netlink,
    family: u8,
    name: String,
}

/// How packets get into a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queueing {
    /// By the filter's own expression.
    Native,
    /// By the target of the older filter, which kernels may have without the expression.
    Compat,
}

impl Table {
    /// Drops that share of the packets that arrive.
    pub(super) fn dropping(name: &str, which: Which, share: f64) -> io::Result<Self> {
        Self::with(INET, name, |rule| dropping(only(rule, which), share))
    }

    /// Puts the packets that arrive into that queue. Without anybody who reads it, they pass.
    pub(super) fn queueing(name: &str, which: Which, queue: u16, how: Queueing) -> io::Result<Self> {
        Self::with(IP, name, |rule| queueing(only(rule, which), queue, how))
    }

    fn with(family: u8, name: &str, fill: impl FnOnce(Message) -> Message) -> io::Result<Self> {
        let mut netlink = Netlink::filter()?;
        netlink.ask(table(family, name, fill))?;
        Ok(Self { netlink, family, name: name.to_owned() })
    }

    /// Removes what it does to packets; it stays, and so do those that wait in a queue.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let rules = message(DELETE_RULE, REQUEST | ACK, self.family).text(1, &self.name).text(2, CHAIN);
        self.netlink.ask(batch([rules]))
    }
}

fn table(family: u8, name: &str, fill: impl FnOnce(Message) -> Message) -> Vec<Message> {
    let new = REQUEST | ACK | CREATE;
    let table = message(NEW_TABLE, new, family).text(1, name).number(2, OWNED);
    let chain = message(NEW_CHAIN, new, family)
        .text(1, name)
        .text(3, CHAIN)
        .nest(4, |hook| hook.number(1, LOCAL_IN).number(2, 0))
        .text(7, "filter");
    let rule = message(NEW_RULE, new, family).text(1, name).text(2, CHAIN).nest(4, fill);
    batch([table, chain, rule])
}

fn message(kind: u16, flags: u16, family: u8) -> Message {
    Message::new(NFNL_SUBSYS_NFTABLES << 8 | kind, flags, &[family, 0, 0, 0])
}

/// All of them or none.
fn batch<const N: usize>(messages: [Message; N]) -> Vec<Message> {
    let mark = |kind| {
        let [high, low] = NFNL_SUBSYS_NFTABLES.to_be_bytes();
        Message::new(kind, REQUEST, &[0, 0, high, low])
    };
    std::iter::once(mark(BATCH_BEGIN)).chain(messages).chain([mark(BATCH_END)]).collect()
}

fn expression(rule: Message, name: &str, data: impl FnOnce(Message) -> Message) -> Message {
    rule.nest(1, |expression| expression.text(1, name).nest(2, data))
}

/// Leaves alone what the rule is not for.
fn only(rule: Message, which: Which) -> Message {
    const INCOMING_LINK: u32 = 4;
    const UNEQUAL: u32 = 1;
    match which {
        Which::All => rule,
        Which::FromOutside => {
            let rule = expression(rule, "meta", |link| link.number(1, REGISTER).number(2, INCOMING_LINK));
            expression(rule, "cmp", |unequal| {
                unequal
                    .number(1, REGISTER)
                    .number(2, UNEQUAL)
                    .nest(3, |data| data.attr(1, &LOOPBACK.to_ne_bytes()))
            })
        }
    }
}

fn dropping(rule: Message, share: f64) -> Message {
    let threshold = (share.clamp(0.0, 1.0) * f64::from(WHOLE)).round() as u32;
    let rule = if threshold >= WHOLE {
        rule
    } else {
        let rule =
            expression(rule, "numgen", |random| random.number(1, REGISTER).number(2, WHOLE).number(3, 1));
        // Compared byte by byte, so the first must be the weightiest.
        let rule = expression(rule, "byteorder", |order| {
            order.number(1, REGISTER).number(2, REGISTER).number(3, 1).number(4, 4).number(5, 4)
        });
        expression(rule, "cmp", |less| {
            less.number(1, REGISTER).number(2, 2).nest(3, |data| data.number(1, threshold))
        })
    };
    expression(rule, "immediate", |verdict| {
        verdict.number(1, VERDICT).nest(2, |data| data.nest(2, |code| code.number(1, DROP)))
    })
}

fn queueing(rule: Message, queue: u16, how: Queueing) -> Message {
    const BYPASS: u16 = 1;
    match how {
        Queueing::Native => expression(rule, "queue", |data| {
            data.attr(1, &queue.to_be_bytes()).attr(2, &1_u16.to_be_bytes()).attr(3, &BYPASS.to_be_bytes())
        }),
        Queueing::Compat => expression(rule, "target", |data| {
            // struct xt_NFQ_info_v3: the first queue, how many, flags; padded to eight bytes
            let info: Vec<u8> = [queue, 1, BYPASS, 0].into_iter().flat_map(u16::to_ne_bytes).collect();
            data.text(1, "NFQUEUE").number(2, 3).attr(3, &info)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::netlink::{attributes, messages};
    use super::*;

    fn sent(messages: Vec<Message>) -> Vec<u8> {
        messages.into_iter().zip(1..).flat_map(|(message, n)| message.numbered(n)).collect()
    }

    /// An expression of a rule: its name and its attributes.
    type Expression = (String, Vec<(u16, Vec<u8>)>);

    fn expressions(bytes: &[u8]) -> Vec<Expression> {
        let rule = messages(bytes).find(|(kind, ..)| *kind == 0x0A06).expect("a rule").2;
        let list = attributes(&rule[4..]).find(|(kind, _)| *kind == 4).expect("its expressions").1;
        let each = attributes(list).map(|(kind, element)| {
            assert_eq!(kind, 1);
            let parts: Vec<_> = attributes(element).collect();
            let name = String::from_utf8_lossy(parts[0].1).trim_end_matches('\0').to_owned();
            (name, attributes(parts[1].1).map(|(kind, value)| (kind, value.to_vec())).collect())
        });
        each.collect()
    }

    #[test]
    fn a_table_is_made_at_once_and_owned() {
        let bytes = sent(table(INET, "t", |rule| dropping(rule, 0.5)));
        let kinds: Vec<u16> = messages(&bytes).map(|(kind, ..)| kind).collect();
        assert_eq!(kinds, [0x10, 0x0A00, 0x0A03, 0x0A06, 0x11]);
        let all: Vec<_> = messages(&bytes).map(|(_, _, rest)| rest).collect();
        assert_eq!(all[0], [0, 0, 0, 10], "a batch for the tables");
        assert_eq!(all[1][..4], [1, 0, 0, 0], "family inet");
        let of_table: Vec<_> = attributes(&all[1][4..]).collect();
        assert_eq!(of_table, [(1, &b"t\0"[..]), (2, &[0, 0, 0, 2][..])]);
        let of_chain: Vec<_> = attributes(&all[2][4..]).collect();
        assert_eq!(of_chain[0], (1, &b"t\0"[..]));
        assert_eq!(of_chain[1], (3, &b"in\0"[..]));
        let hook: Vec<_> = attributes(of_chain[2].1).collect();
        assert_eq!(hook, [(1, &[0, 0, 0, 1][..]), (2, &[0, 0, 0, 0][..])], "input, priority 0");
        assert_eq!(of_chain[3], (7, &b"filter\0"[..]));
    }

    #[test]
    fn a_share_is_dropped_by_chance() {
        let found = expressions(&sent(table(INET, "t", |rule| dropping(rule, 0.15))));
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["numgen", "byteorder", "cmp", "immediate"]);
        assert_eq!(found[0].1[1], (2, 1_000_000_u32.to_be_bytes().to_vec()));
        assert_eq!(found[0].1[2], (3, 1_u32.to_be_bytes().to_vec()), "random, not one after the other");
        assert_eq!(found[2].1[1], (2, 2_u32.to_be_bytes().to_vec()), "less than");
        let limit: Vec<_> = attributes(&found[2].1[2].1).collect();
        assert_eq!(limit, [(1, &150_000_u32.to_be_bytes()[..])]);
    }

    #[test]
    fn the_loopback_can_be_left_alone() {
        let found = expressions(&sent(table(INET, "t", |rule| only(rule, Which::FromOutside))));
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["meta", "cmp"]);
        assert_eq!(found[0].1, [(1, vec![0, 0, 0, 1]), (2, vec![0, 0, 0, 4])], "the link it comes in by");
        assert_eq!(found[1].1[1], (2, vec![0, 0, 0, 1]), "is not");
        let link: Vec<_> = attributes(&found[1].1[2].1).collect();
        assert_eq!(link, [(1, &1_i32.to_ne_bytes()[..])]);
        assert!(expressions(&sent(table(INET, "t", |rule| only(rule, Which::All)))).is_empty());
    }

    #[test]
    fn all_is_dropped_without_chance() {
        let found = expressions(&sent(table(INET, "t", |rule| dropping(rule, 1.0))));
        assert_eq!(found.len(), 1);
        let (name, parts) = &found[0];
        assert_eq!(name, "immediate");
        assert_eq!(parts[0], (1, vec![0; 4]), "the verdict");
        let verdict: Vec<_> = attributes(&parts[1].1).collect();
        assert_eq!(verdict[0].0, 2);
        assert_eq!(attributes(verdict[0].1).next(), Some((1, &[0, 0, 0, 0][..])), "drop");
    }

    #[test]
    fn a_queue_lets_pass_when_nobody_reads_it() {
        let native = expressions(&sent(table(IP, "t", |rule| queueing(rule, 7, Queueing::Native))));
        assert_eq!(native, [("queue".into(), vec![(1, vec![0, 7]), (2, vec![0, 1]), (3, vec![0, 1])])]);
        let compat = expressions(&sent(table(IP, "t", |rule| queueing(rule, 7, Queueing::Compat))));
        let info: Vec<u8> = [7_u16, 1, 1, 0].into_iter().flat_map(u16::to_ne_bytes).collect();
        let parts = vec![(1, b"NFQUEUE\0".to_vec()), (2, vec![0, 0, 0, 3]), (3, info)];
        assert_eq!(compat, [("target".into(), parts)]);
    }
}

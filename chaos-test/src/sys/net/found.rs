//! By what packets can be treated, and what of that a host has.

use serde::{Deserialize, Serialize};

use crate::port::Refusal;

/// By what packets are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Means {
    Netem,
    Drop,
    Queue { native: bool },
}

/// What can be done to packets here; else why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(super) netem: Result<(), String>,
    pub(super) drop: Result<(), String>,
    pub(super) native_queue: Result<(), String>,
    pub(super) compat_queue: Result<(), String>,
}

impl Found {
    /// What that mechanism is made by.
    pub(crate) fn means(&self, mechanism: &str) -> Result<Means, Refusal> {
        let refuse = |why: &String, fix: &str| Refusal::new(why, fix);
        match mechanism {
            "netem" => {
                let fix = "load the kernel module sch_netem (CONFIG_NET_SCH_NETEM)";
                self.netem.as_ref().map(|()| Means::Netem).map_err(|why| refuse(why, fix))
            }
            "nft-drop" => {
                let fix = "load the kernel modules nf_tables and nft_numgen (CONFIG_NFT_NUMGEN)";
                self.drop.as_ref().map(|()| Means::Drop).map_err(|why| refuse(why, fix))
            }
            "nfqueue" => {
                let fix =
                    "load the kernel modules nfnetlink_queue and nft_queue, or nft_compat and xt_NFQUEUE";
                let native = self.native_queue.is_ok();
                let any = self.native_queue.as_ref().or(self.compat_queue.as_ref());
                any.map(|()| Means::Queue { native }).map_err(|why| refuse(why, fix))
            }
            other => Err(Refusal::new(format!("{other} does nothing to packets"), "")),
        }
    }
}

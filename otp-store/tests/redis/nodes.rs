use std::process::Command;

use crate::port;
use crate::server::Server;

/// A cluster of a test's own: three primaries, perhaps with a replica each.
pub(crate) struct Nodes(pub(crate) Vec<Server>);

impl Nodes {
    pub(crate) fn start() -> Self {
        Self::with(3, "0")
    }

    /// Starts three primaries with a replica each.
    pub(crate) fn with_replicas() -> Self {
        let nodes = Self::with(6, "1");
        for node in &nodes.0 {
            node.wait_for("CLUSTER", &["NODES"], "slave");
        }
        nodes
    }

    fn with(count: u16, replicas: &str) -> Self {
        let nodes = (0..count).map(|_| {
            let port = port::free().to_string();
            Server::with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &port,
                "--cluster-config-file",
                "nodes.conf",
                "--cluster-node-timeout",
                "2000",
                // One node that is down is no reason for the others to refuse.
                "--cluster-require-full-coverage",
                "no",
            ])
        });
        let nodes = Self(nodes.collect());
        let addresses = nodes
            .0
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", replicas, "--cluster-yes"])
            .output()
            .expect("redis-cli runs");
        let told = String::from_utf8_lossy(&made.stdout).into_owned();
        assert!(made.status.success(), "{told}");
        nodes.wait();
        nodes
    }

    /// Waits until every node knows of every other and of every slot.
    pub(crate) fn wait(&self) {
        for node in &self.0 {
            node.wait_for("CLUSTER", &["INFO"], "cluster_state:ok");
            node.wait_for("CLUSTER", &["INFO"], "cluster_slots_ok:16384");
            let known = format!("cluster_known_nodes:{}", self.0.len());
            node.wait_for("CLUSTER", &["INFO"], &known);
        }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.0.iter().map(Server::url).collect()
    }

    /// Finds the node that has a key's slot, and another one.
    pub(crate) fn of(&self, key: &str) -> (&Server, &Server, String) {
        let [first, ..] = &self.0[..] else {
            panic!("a cluster has nodes");
        };
        let slot = first.tell("CLUSTER", &["KEYSLOT", key]);
        let has_it = |node: &&Server| {
            let mut raw = node.raw();
            let mut read = redis::cmd("EXISTS");
            read.arg(key).query::<u64>(&mut raw).is_ok()
        };
        let source = self.0.iter().find(has_it).expect("a node has it");
        let target = self.0.iter().find(|node| !has_it(node));
        (source, target.expect("another has not"), slot)
    }
}

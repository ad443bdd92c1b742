use std::pin::pin;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};

use super::panics::Guarded;
use super::{BodyResult, Chaos, LocalFuture};
use crate::model::{BodyEnd, Outcome};
use crate::port::{Begins, Body, BoxFuture, Probe};

/// A test body: called once per run.
pub(super) type BodyFn = Rc<dyn Fn(Chaos) -> LocalFuture<BodyResult>>;

/// What the engine, on its own threads, asks of the body, on the caller's.
pub(super) enum Command {
    /// Run it as a transaction.
    Transaction(oneshot::Sender<Outcome>, Begins),
    /// Run it once, to its end.
    Once(oneshot::Sender<BodyEnd>),
}

/// The engine's end of the line.
pub(super) struct Line(pub(super) mpsc::UnboundedSender<Command>);

impl Probe for Line {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send(Command::Transaction(reply, begins));
        Box::pin(async move {
            // A caller that is gone has dropped the test; the engine is being told so as well.
            let gone = Outcome::Failed;
            if sent.is_err() { gone } else { answer.await.unwrap_or(gone) }
        })
    }
}

impl Body for Line {
    fn run(&self) -> BoxFuture<'static, BodyEnd> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send(Command::Once(reply));
        Box::pin(async move {
            let gone = || BodyEnd::Failed("the test was dropped".into());
            if sent.is_err() { gone() } else { answer.await.unwrap_or_else(|_| gone()) }
        })
    }
}

/// Runs bodies as the engine asks for them, on the caller's runtime, until `engine` is done.
pub(super) async fn drive<T>(
    engine: impl Future<Output = T>,
    mut commands: mpsc::UnboundedReceiver<Command>,
    body: Option<BodyFn>,
    chaos: Chaos,
) -> T {
    let mut engine = pin!(engine);
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            done = &mut engine => return done,
            Some(command) = commands.recv() => {
                if let Some(body) = &body {
                    under_way.push(carry_out(command, Rc::clone(body), chaos.clone()));
                }
            }
            Some(()) = under_way.next(), if !under_way.is_empty() => {}
        }
    }
}

async fn carry_out(command: Command, body: BodyFn, chaos: Chaos) {
    let told = chaos.clone();
    // The call itself is part of the body: it may panic too.
    let run = Guarded::new(Box::pin(async move { body(chaos).await }));
    match command {
        Command::Transaction(mut reply, begins) => {
            begins();
            // Whoever asked stops waiting when the time is up; the transaction is then dropped.
            let ended = match select(pin!(run), pin!(reply.closed())).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => return,
            };
            let outcome = match ended {
                Ok(Ok(())) => Outcome::Good,
                Ok(Err(why)) => {
                    told.complain(&format!("the body failed: {why:?}"));
                    Outcome::Failed
                }
                Err(why) => {
                    told.complain(&format!("the body panicked at {why}"));
                    Outcome::Panicked
                }
            };
            let _ = reply.send(outcome);
        }
        Command::Once(mut reply) => {
            let ended = match select(pin!(run), pin!(reply.closed())).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => return,
            };
            let _ = reply.send(match ended {
                Ok(Ok(())) => BodyEnd::Ok,
                Ok(Err(why)) => BodyEnd::Failed(format!("{why:?}")),
                Err(why) => BodyEnd::Panicked(why),
            });
        }
    }
}

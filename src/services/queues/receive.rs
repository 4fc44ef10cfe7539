//! Getting messages out of queues, and what can be done with one that was got.

use super::message::{Message, Receipt};
use super::send::DEDUPLICATION_MS;
use super::store::{self, Stored};
use super::{Buried, Entry, Error, Outcomes, Queues, check_entries, chunks, in_range, requests};
use crate::base::{Call, Time};
use crate::store::Tx;

/// What a client asks for. Source: "ReceiveMessage".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receive {
    /// 1 to 10; 1 unless set.
    pub messages_max: Option<i64>,
    /// 0 to 43,200; as the queue says unless set.
    pub visibility_s: Option<i64>,
    /// 0 to 20; as the queue says unless set.
    pub wait_s: Option<i64>,
    /// FIFO: a receive with the same identifier within five minutes gets the same messages, if none was touched since.
    pub attempt: Option<String>,
}

/// What an event source mapping asks for: more at once, never waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// 1 to 10,000.
    pub messages_max: usize,
    /// Together, but for the first message.
    pub bytes_max: usize,
    /// Milliseconds that the messages stay hidden; as the queue says unless set.
    pub visibility_ms: Option<i64>,
}

/// The longest that a message may stay hidden under one receipt, in seconds.
const VISIBILITY_MAX_S: i64 = 43_200;
/// Messages in flight that a queue allows. Source: "Amazon SQS message quotas".
const IN_FLIGHT_MAX: usize = 120_000;

impl Queues {
    /// Hands out up to ten messages, waiting for the first as long as asked: woken by commits, and by the clock where a hidden message comes
    /// to light. Fails with `NoSuchQueue`, `Range`, `InFlight`.
    pub async fn receive(&self, call: &Call, queue: &str, receive: Receive) -> Result<Vec<Message>, Error> {
        let messages_max = receive.messages_max.unwrap_or(1);
        in_range("MaxNumberOfMessages", messages_max, 1, 10)?;
        in_range("WaitTimeSeconds", receive.wait_s.unwrap_or(0), 0, 20)?;
        in_range("VisibilityTimeout", receive.visibility_s.unwrap_or(0), 0, VISIBILITY_MAX_S)?;
        let wanted = Wanted {
            messages_max: messages_max as usize,
            bytes_max: usize::MAX,
            visibility_ms: receive.visibility_s.map(|s| s * 1000),
            attempt: receive.attempt,
        };
        let began = self.db.now();
        let mut wait_s = receive.wait_s;
        loop {
            let notify = self.db.woken(&Queues::wake_key(queue));
            let mut notified = std::pin::pin!(notify.notified());
            notified.as_mut().enable();
            let (messages, glance) = self.attempt(call, queue, &wanted).await?;
            let until = began.plus_ms(*wait_s.get_or_insert(glance.wait_s) * 1000);
            if !messages.is_empty() || self.db.now() >= until {
                bill_empty(call, queue, &messages);
                return Ok(messages);
            }
            let next = glance.next_due.map_or(until, |due| due.min(until));
            tokio::select! {
                () = notified => {}
                () = self.db.clock().sleep_until(next) => {}
            }
        }
    }

    /// Hands out messages to an event source mapping, at once. When none came, wait for [`Queues::wake_key`] and [`Queues::next_due`].
    pub async fn lease(&self, call: &Call, queue: &str, lease: Lease) -> Result<Vec<Message>, Error> {
        let wanted = Wanted {
            messages_max: lease.messages_max.clamp(1, 10_000),
            bytes_max: lease.bytes_max,
            visibility_ms: lease.visibility_ms.map(|ms| ms.clamp(0, VISIBILITY_MAX_S * 1000)),
            attempt: None,
        };
        let (messages, _) = self.attempt(call, queue, &wanted).await?;
        bill_empty(call, queue, &messages);
        Ok(messages)
    }

    /// When the next hidden message of the queue comes to light; `None` where none is hidden.
    pub async fn next_due(&self, call: &Call, queue: &str) -> Result<Option<Time>, Error> {
        self.db.read(call, |tx| store::next_due(tx, &store::get(tx, queue)?)).await
    }

    /// Whether a lease would get anything now.
    pub async fn receivable(&self, call: &Call, queue: &str) -> Result<bool, Error> {
        self.db.read(call, |tx| Ok(!store::free(tx, &store::get(tx, queue)?, 1, usize::MAX)?.is_empty())).await
    }

    /// Looks first, because most looks find nothing and need no write. What is handed out is billed; that there is nothing is not yet, for
    /// a request may look often while it waits.
    async fn attempt(&self, call: &Call, queue: &str, wanted: &Wanted) -> Result<(Vec<Message>, Glance), Error> {
        let glance = self.db.read(call, |tx| glance(tx, queue)).await?;
        if !glance.due && wanted.attempt.is_none() {
            return Ok((Vec::new(), glance));
        }
        let (name, wanted) = (queue.to_owned(), wanted.clone());
        let taken = self.db.write(call, move |tx| {
            let Taken { messages, buried } = take_in(tx, &name, &wanted)?;
            if !messages.is_empty() {
                tx.count(requests(&name), chunks(messages.iter().map(Message::bytes).sum()));
            }
            Ok::<_, Error>((messages, buried, self::glance(tx, &name)?))
        });
        let (messages, buried, glance) = taken.await?;
        self.buried(&buried);
        Ok((messages, glance))
    }

    /// Deletes a message that its holder has dealt with. Already deleted is fine; so is an old receipt of a standard queue, which deletes
    /// nothing. Fails with `Receipt`, and in FIFO queues with `ReceiptExpired`.
    pub async fn delete_message(&self, call: &Call, queue: &str, receipt: &str) -> Result<(), Error> {
        let receipt = receipt.to_owned();
        self.change_messages(call, queue, move |tx, found| delete_in(tx, found, &receipt)).await
    }

    /// Deletes up to ten messages; each fails or not by itself.
    pub async fn delete_batch(&self, call: &Call, queue: &str, entries: Vec<Entry<String>>) -> Result<Outcomes<()>, Error> {
        check_entries(&entries)?;
        self.each(call, queue, entries, |tx, found, receipt| delete_in(tx, found, &receipt)).await
    }

    /// Deletes any number of leased messages in one transaction, ignoring receipts that are no longer good: for event source mappings.
    pub async fn acknowledge(&self, call: &Call, queue: &str, receipts: Vec<String>) -> Result<(), Error> {
        self.change_messages(call, queue, move |tx, found| {
            for receipt in &receipts {
                match delete_in(tx, found, receipt) {
                    Err(Error::ReceiptExpired(_)) | Ok(()) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
        .await
    }

    /// Hides a received message for `visibility_s` seconds from now; 0 shows it at once.
    /// Fails with `Receipt`, `NotAvailable`, `NotInFlight`, `HiddenTooLong`.
    pub async fn change_visibility(&self, call: &Call, queue: &str, receipt: &str, visibility_s: i64) -> Result<(), Error> {
        in_range("VisibilityTimeout", visibility_s, 0, VISIBILITY_MAX_S)?;
        let receipt = receipt.to_owned();
        self.change_messages(call, queue, move |tx, found| hide_in(tx, found, &receipt, visibility_s)).await
    }

    /// As [`Queues::change_visibility`] for up to ten messages; each fails or not by itself.
    pub async fn change_visibility_batch(
        &self,
        call: &Call,
        queue: &str,
        entries: Vec<Entry<(String, i64)>>,
    ) -> Result<Outcomes<()>, Error> {
        check_entries(&entries)?;
        self.each(call, queue, entries, |tx, found, (receipt, visibility_s)| {
            in_range("VisibilityTimeout", visibility_s, 0, VISIBILITY_MAX_S)?;
            hide_in(tx, found, &receipt, visibility_s)
        })
        .await
    }

    async fn each<T: Send + 'static>(
        &self,
        call: &Call,
        queue: &str,
        entries: Vec<Entry<T>>,
        change: impl Fn(&mut Tx<'_>, &Stored, T) -> Result<(), Error> + Send + 'static,
    ) -> Result<Outcomes<()>, Error> {
        self.change_messages(call, queue, move |tx, found| {
            let mut outcomes = Vec::with_capacity(entries.len());
            for entry in entries {
                match change(tx, found, entry.value) {
                    Err(Error::Store(error)) => return Err(error.into()),
                    outcome => outcomes.push((entry.id, outcome)),
                }
            }
            Ok(outcomes)
        })
        .await
    }
}

#[derive(Clone)]
struct Wanted {
    messages_max: usize,
    bytes_max: usize,
    visibility_ms: Option<i64>,
    attempt: Option<String>,
}

/// What a queue looks like to one who would receive.
struct Glance {
    due: bool,
    next_due: Option<Time>,
    wait_s: i64,
}

fn glance(tx: &Tx<'_>, queue: &str) -> Result<Glance, Error> {
    let queue = store::get(tx, queue)?;
    Ok(Glance { due: store::any_due(tx, &queue)?, next_due: store::next_due(tx, &queue)?, wait_s: queue.queue.settings.wait_s })
}

/// A request that ends without a message is billed as one.
fn bill_empty(call: &Call, queue: &str, messages: &[Message]) {
    if messages.is_empty() {
        let mut usage = crate::base::Usage::default();
        usage.add(requests(queue), 1);
        call.meter.add(&usage);
    }
}

/// What a look found: messages to hand out, and those that were received too often.
#[derive(Default)]
struct Taken {
    messages: Vec<Message>,
    buried: Vec<Buried>,
}

fn take_in(tx: &mut Tx<'_>, name: &str, wanted: &Wanted) -> Result<Taken, Error> {
    let queue = store::get(tx, name)?;
    store::expire(tx, &queue)?;
    let until = tx.now().plus_ms(wanted.visibility_ms.unwrap_or(queue.queue.settings.visibility_s * 1000));
    let attempt = wanted.attempt.as_ref().filter(|_| queue.queue.settings.fifo);
    if let Some(attempt) = attempt
        && let Some(messages) = again(tx, &queue, attempt, until)?
    {
        return Ok(Taken { messages, ..Taken::default() });
    }
    if store::in_flight_reaches(tx, &queue, IN_FLIGHT_MAX)? {
        return Err(Error::InFlight(name.to_owned()));
    }
    let mut dead = Redriver::new(tx, &queue)?;
    let mut taken = Vec::new();
    loop {
        let free = store::free(tx, &queue, wanted.messages_max, wanted.bytes_max)?;
        // Dead letters make room for others, so where there are some it looks again, with all of them out of the way.
        if dead.remove(tx, &free)? {
            continue;
        }
        for mut message in free {
            store::take(tx, &queue, &mut message, until)?;
            taken.push(message);
        }
        break;
    }
    if let Some(attempt) = attempt.filter(|_| !taken.is_empty()) {
        let receipts: Vec<&str> = taken.iter().map(|message| message.receipt.as_str()).collect();
        store::remember_receive(tx, &queue, attempt, &receipts)?;
    }
    Ok(Taken { messages: taken, buried: dead.buried })
}

/// Moves messages that were received too often to the dead-letter queue, if there is one.
struct Redriver {
    source: String,
    to: Option<(u32, Stored)>,
    buried: Vec<Buried>,
}

impl Redriver {
    fn new(tx: &Tx<'_>, queue: &Stored) -> Result<Redriver, Error> {
        let to = match &queue.queue.settings.redrive {
            Some(redrive) => store::find(tx, &redrive.target)?.map(|target| (redrive.receives_max, target)),
            None => None,
        };
        Ok(Redriver { source: queue.queue.name.clone(), to, buried: Vec::new() })
    }

    /// Whether any of `messages` was moved.
    fn remove(&mut self, tx: &mut Tx<'_>, messages: &[Message]) -> Result<bool, Error> {
        let Some((receives_max, target)) = &self.to else { return Ok(false) };
        let mut any = false;
        for message in messages.iter().filter(|message| message.receives >= *receives_max) {
            store::transfer(tx, store::row_of(message)?, target, Some(&self.source))?;
            tx.wake(&Queues::wake_key(&target.queue.name));
            self.buried.push(Buried {
                queue: self.source.clone(),
                dead_letters: target.queue.name.clone(),
                receives: message.receives,
                origin: message.origin.clone(),
            });
            any = true;
        }
        Ok(any)
    }
}

/// What the same attempt got before, if it still holds all of it; hidden anew.
fn again(tx: &mut Tx<'_>, queue: &Stored, attempt: &str, until: Time) -> Result<Option<Vec<Message>>, Error> {
    let Some(receipts) = store::earlier(tx, queue, attempt, tx.now().plus_ms(-DEDUPLICATION_MS))? else { return Ok(None) };
    let receipts = receipts.iter().map(|handle| Receipt::decode(handle)).collect::<Result<Vec<_>, _>>()?;
    let mut messages = Vec::with_capacity(receipts.len());
    for receipt in &receipts {
        match store::by_receipt(tx, queue, receipt)? {
            Some(message) => messages.push(message),
            None => return Ok(None),
        }
    }
    for receipt in &receipts {
        store::defer(tx, receipt, until)?;
    }
    Ok(Some(messages))
}

fn receipt_of(queue: &Stored, handle: &str) -> Result<Receipt, Error> {
    let receipt = Receipt::decode(handle)?;
    if receipt.queue == queue.id { Ok(receipt) } else { Err(Error::Receipt(handle.to_owned())) }
}

fn delete_in(tx: &mut Tx<'_>, queue: &Stored, handle: &str) -> Result<(), Error> {
    let receipt = receipt_of(queue, handle)?;
    if queue.queue.settings.fifo
        && let Some(held) = store::held(tx, &receipt)?
        && (!held.latest || held.due <= tx.now())
    {
        return Err(Error::ReceiptExpired(handle.to_owned()));
    }
    store::acknowledge(tx, &receipt)?;
    Ok(())
}

fn hide_in(tx: &mut Tx<'_>, queue: &Stored, handle: &str, visibility_s: i64) -> Result<(), Error> {
    let receipt = receipt_of(queue, handle)?;
    let now = tx.now();
    match store::held(tx, &receipt)? {
        None => Err(Error::NotAvailable(handle.to_owned())),
        Some(held) if !held.latest && queue.queue.settings.fifo => Err(Error::ReceiptExpired(handle.to_owned())),
        Some(held) if !held.latest => Err(Error::NotAvailable(handle.to_owned())),
        Some(held) if held.due <= now && queue.queue.settings.fifo => Err(Error::ReceiptExpired(handle.to_owned())),
        Some(held) if held.due <= now => Err(Error::NotInFlight),
        Some(held) if now.plus_ms(visibility_s * 1000) > held.received.plus_ms(VISIBILITY_MAX_S * 1000) => {
            Err(Error::HiddenTooLong { value: visibility_s })
        }
        Some(_) => store::defer(tx, &receipt, now.plus_ms(visibility_s * 1000)).map(|_| ()),
    }
}

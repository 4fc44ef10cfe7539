//! Everything the dashboard knows, bounded, and what it does about records, messages and keys. No I/O: what has to be done outside is
//! answered as [`Effect`]s.

mod act;
mod book;
mod curl;
mod data;
mod feed;
mod filter;
mod problems;
mod tally;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::billing::Billing;
use super::command::{Command, Counts, Message, ShelfId};
use super::input::{Action, Scope};
use super::waterfall::{self, Waterfall};
use crate::base::{Cause, Time, TraceId};
use crate::cost::Work;
use crate::telemetry::{Outcome, Record};
pub use book::Book;
pub use data::{Data, Focus};
pub use feed::{Feed, top};
pub use filter::Filter;
pub use problems::Problems;
pub use tally::{Sum, Tally};

/// Invocations on the list.
const INVOCATIONS_MAX: usize = 10_000;
/// Lines on the list of logs.
const LOGS_MAX: usize = 20_000;
/// How long a message stays in the last line.
const SAID_MS: i64 = 6_000;

/// What there is to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Overview,
    Invocations,
    Data,
    Cost,
    Logs,
    Problems,
}

impl Screen {
    pub const ALL: [Screen; 6] = [Screen::Overview, Screen::Invocations, Screen::Data, Screen::Cost, Screen::Logs, Screen::Problems];

    pub fn name(self) -> &'static str {
        match self {
            Screen::Overview => "Overview",
            Screen::Invocations => "Invocations",
            Screen::Data => "Data",
            Screen::Cost => "Cost",
            Screen::Logs => "Logs",
            Screen::Problems => "Problems",
        }
    }
}

/// What is known of a project before anything happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub project: String,
    pub stage: String,
    pub version: String,
    /// What answers, and where: `HTTP API`, `http://127.0.0.1:3000`.
    pub addresses: Vec<(String, String)>,
    pub functions: Vec<Arc<str>>,
    /// A request that would work, for those who have not made one: `curl http://127.0.0.1:3000/`.
    pub example: String,
    /// How many providers' prices there are.
    pub providers: usize,
}

/// What has to be done outside of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Send(Command),
    /// Puts a text into the clipboard.
    Copy(String),
    /// Lets the person edit a text; what comes of it goes to [`State::edited`].
    Edit {
        text: String,
        purpose: Purpose,
    },
    Quit,
}

/// What a text was edited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Invoke { function: Arc<str> },
    Put { shelf: ShelfId, key: String },
}

/// What lies over a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    Help { scroll: usize },
    Confirm { question: String, command: Command },
}

/// Something on the screen that can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    Tab(Screen),
    /// A row of the list on the screen.
    Row(usize),
    Shelf(usize),
    /// A bar of the waterfall, by the number of its record.
    Bar(u64),
    Part(Part),
    By(By),
}

/// What the lower half of an opened trace shows of the selected bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Facts,
    Event,
    Answer,
    Logs,
    Error,
}

/// A trace that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    pub trace: TraceId,
    /// The record that is selected.
    pub number: u64,
    pub part: Part,
    pub scroll: usize,
    /// Where it was opened.
    pub from: Screen,
}

/// What costs are added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Kind,
    Function,
    Service,
}

/// How costs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    pub by: By,
    pub row: usize,
    pub provider: usize,
    pub free_tier: bool,
}

/// A word on what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub failed: bool,
    until: Time,
}

/// The dashboard's state.
pub struct State {
    pub about: About,
    pub screen: Screen,
    pub book: Book,
    pub tally: Tally,
    billing: Billing,
    /// What the latest invocations did with everything that they called, by the numbers of their records.
    bills: VecDeque<(u64, Work)>,
    pub invocations: Feed,
    pub invocation_filter: Filter,
    pub logs: Feed,
    pub log_filter: Filter,
    pub problems: Problems,
    pub detail: Option<Detail>,
    pub data: Data,
    pub costs: Costs,
    pub overlay: Option<Overlay>,
    /// What is typed into the search, while it is.
    pub typing: Option<String>,
    pub said: Option<Said>,
    pub counts: Counts,
    /// Records that nobody saw, because they came too fast.
    pub dropped: u64,
    pub last_reload: Option<Arc<Record>>,
    /// By the machine's clock.
    pub now: Time,
    pub started: Time,
    /// Rows of the list that was drawn last.
    pub page: usize,
    /// An edited text that could not be used, to go on with.
    draft: Option<(Purpose, String)>,
    /// When data was last asked for, and whether it may have changed since.
    asked: Time,
    stale: bool,
    /// The same of the counts.
    counted: Time,
    uncounted: bool,
    /// What is to be edited once it has come.
    editing: bool,
    /// The place of the error that is looked at, and the lines around it once they have come.
    pub source: Option<(Arc<str>, String)>,
}

impl State {
    /// Nothing has happened yet.
    pub fn new(about: About, now: Time) -> State {
        State {
            about,
            screen: Screen::Overview,
            book: Book::default(),
            tally: Tally::default(),
            billing: Billing::default(),
            bills: VecDeque::new(),
            invocations: Feed::new(INVOCATIONS_MAX),
            invocation_filter: Filter::default(),
            logs: Feed::new(LOGS_MAX),
            log_filter: Filter::default(),
            problems: Problems::default(),
            detail: None,
            data: Data::default(),
            costs: Costs { by: By::Kind, row: 0, provider: 0, free_tier: false },
            overlay: None,
            typing: None,
            said: None,
            counts: Counts::default(),
            dropped: 0,
            last_reload: None,
            now,
            started: now,
            page: 10,
            draft: None,
            asked: Time(0),
            stale: false,
            counted: Time(0),
            uncounted: true,
            editing: false,
            source: None,
        }
    }

    /// Takes in what happened.
    pub fn apply(&mut self, record: Arc<Record>) {
        let billed = self.billing.take(&record);
        self.tally.add(&record, &billed);
        match &*record {
            Record::Reload(_) => {
                self.problems.reloaded();
                self.last_reload = Some(Arc::clone(&record));
            }
            Record::Problem(problem) => self.problems.tell(problem),
            // What emu does itself may be the dashboard's own reading, which must not lead to more of it.
            Record::Operation(operation) => self.stale |= operation.parent != Cause::Operator,
            Record::Delivery(_) | Record::Mail(_) | Record::Push(_) => self.stale = true,
            Record::Request(_) | Record::Invocation(_) | Record::Log(_) => {}
        }
        self.uncounted = true;
        let number = self.book.push(Arc::clone(&record));
        if let Record::Invocation(_) = &*record {
            self.bills.push_back((number, billed.total));
            let excess = self.bills.len().saturating_sub(INVOCATIONS_MAX);
            self.bills.drain(..excess);
        }
        match &*record {
            Record::Invocation(invocation) if self.invocation_filter.shows_invocation(invocation) => self.invocations.push(number),
            Record::Log(log) if self.log_filter.shows_log(log) => self.logs.push(number),
            _ => {}
        }
        let first = self.book.first();
        self.invocations.forget_before(first);
        self.logs.forget_before(first);
    }

    /// Takes in an answer.
    pub fn hear(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Shelves(shelves) => return self.data.take_shelves(shelves).into_iter().map(Effect::Send).collect(),
            Message::Rows(rows) => self.data.take_rows(rows),
            Message::Document(document) => {
                self.data.take_document(document);
                if std::mem::take(&mut self.editing) && self.data.document.is_some() {
                    return self.act(Action::Edit);
                }
            }
            Message::Counts(counts) => self.counts = counts,
            Message::Source { place, frame } => {
                if let Some((wanted, lines)) = &mut self.source
                    && *wanted == place
                {
                    *lines = frame;
                }
            }
            Message::Done(text) => {
                self.say(text, false);
                self.stale = true;
                if self.screen == Screen::Data {
                    return self.look_again();
                }
            }
            Message::Failed(text) => self.say(text, true),
        }
        Vec::new()
    }

    /// Time passes. Data that may have changed is asked for again, once a second at most.
    pub fn tick(&mut self, now: Time) -> Vec<Effect> {
        self.now = now;
        self.tally.move_on(u64::try_from(now.seconds()).unwrap_or(0));
        if self.said.as_ref().is_some_and(|said| said.until <= now) {
            self.said = None;
        }
        if self.uncounted && matches!(self.screen, Screen::Overview | Screen::Cost) && self.counted.plus_ms(1_000) <= now {
            (self.uncounted, self.counted) = (false, now);
            return vec![Effect::Send(Command::Count)];
        }
        if self.stale && self.screen == Screen::Data && self.asked.plus_ms(1_000) <= now {
            return self.look_again();
        }
        Vec::new()
    }

    /// Whether the screen would look otherwise a second later though nothing happens.
    pub fn is_moving(&self) -> bool {
        self.said.is_some()
            || (self.screen == Screen::Overview && (self.uncounted || self.tally.is_moving()))
            || (self.screen == Screen::Cost && self.uncounted)
            || (self.screen == Screen::Data && self.stale)
    }

    /// Where keys go.
    pub fn scope(&self) -> Scope {
        match self.screen {
            Screen::Overview => Scope::Overview,
            Screen::Invocations if self.detail.is_some() => Scope::Detail,
            Screen::Invocations => Scope::Invocations,
            Screen::Data if self.data.document.is_some() => Scope::Document,
            Screen::Data if self.data.focus == Focus::Rows => Scope::Rows,
            Screen::Data => Scope::Shelves,
            Screen::Cost => Scope::Cost,
            Screen::Logs => Scope::Logs,
            Screen::Problems => Scope::Problems,
        }
    }

    /// Says something in the last line, for a while.
    pub fn say(&mut self, text: impl Into<String>, failed: bool) {
        self.said = Some(Said { text: text.into(), failed, until: self.now.plus_ms(SAID_MS) });
    }

    /// What an invocation did with everything that it called, by the number of its record; `None` where that is forgotten.
    pub fn bill(&self, number: u64) -> Option<&Work> {
        let at = self.bills.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.bills.get(at).map(|(_, work)| work)
    }

    /// All work, put down to what it is added up by: the sum of the rows is [`Tally::total`].
    pub fn sums(&self, by: By) -> Vec<(&str, Cow<'_, Sum>)> {
        let (sums, rest) = match by {
            By::Kind => {
                let under_way = Sum { work: self.tally.under_way(), ..Sum::default() };
                (&self.tally.kinds, Some(("(under way)", Cow::Owned(under_way))))
            }
            By::Function => (&self.tally.functions, Some(("(no function)", Cow::Borrowed(&self.tally.nobody)))),
            By::Service => (&self.tally.services, None),
        };
        let rest = rest.filter(|(_, sum)| !sum.work.is_empty());
        sums.iter().map(|(name, sum)| (&**name, Cow::Borrowed(sum))).chain(rest).collect()
    }

    /// The trace that is looked at, as a tree.
    pub fn waterfall(&self) -> Option<Waterfall> {
        let detail = self.detail.as_ref()?;
        Some(waterfall::of(self.book.trace(&detail.trace)))
    }

    /// What can be shown of a record.
    pub fn parts(record: &Record) -> &'static [Part] {
        match record {
            Record::Invocation(i) if i.outcome != Outcome::Succeeded => &[Part::Error, Part::Event, Part::Answer, Part::Logs, Part::Facts],
            Record::Invocation(_) => &[Part::Event, Part::Answer, Part::Logs, Part::Facts],
            Record::Request(_) => &[Part::Facts, Part::Event],
            _ => &[Part::Facts],
        }
    }

    /// Asks for the lines around the selected invocation's error, if they are not known.
    fn want_source(&mut self) -> Vec<Effect> {
        let Some(Record::Invocation(i)) = self.detail.as_ref().and_then(|detail| self.book.get(detail.number)).map(|record| &**record)
        else {
            return Vec::new();
        };
        let Some(place) = i.stack.iter().find_map(|line| place(line)) else { return Vec::new() };
        if self.source.as_ref().is_some_and(|(known, _)| **known == *place) {
            return Vec::new();
        }
        let place: Arc<str> = place.into();
        self.source = Some((Arc::clone(&place), String::new()));
        vec![Effect::Send(Command::Source { place })]
    }

    /// What became of a text that was edited; `None` where it was left as it is.
    pub fn edited(&mut self, purpose: Purpose, text: Option<String>) -> Vec<Effect> {
        let Some(text) = text else {
            self.say("nothing was changed, so nothing was done", false);
            return Vec::new();
        };
        if let Purpose::Invoke { .. } = purpose
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
        {
            self.say(format!("not JSON, so nothing was run ({error}); `e` goes on with your text"), true);
            self.draft = Some((purpose, text));
            return Vec::new();
        }
        self.draft = Some((purpose.clone(), text.clone()));
        vec![Effect::Send(match purpose {
            Purpose::Invoke { function } => Command::Invoke { function, event: Bytes::from(text) },
            Purpose::Put { shelf, key } => Command::Put { shelf, key, text },
        })]
    }

    fn look_again(&mut self) -> Vec<Effect> {
        self.stale = false;
        self.asked = self.now;
        self.data.wanted().into_iter().map(Effect::Send).collect()
    }
}

/// The `file:line:column` of a line of a stack: what is in its parentheses, or its last word. Places in packages are none: what is wrong
/// is seldom there.
fn place(line: &str) -> Option<&str> {
    let inside = line.rsplit_once('(').map_or_else(|| line.rsplit(' ').next().unwrap_or(line), |(_, rest)| rest.trim_end_matches(')'));
    let mut parts = inside.rsplitn(3, ':');
    let numbers = [parts.next()?, parts.next()?].iter().all(|part| part.parse::<u32>().is_ok());
    let file = parts.next()?;
    (numbers && !file.is_empty() && !file.contains("node_modules") && !file.contains("://") && !file.starts_with("node:")).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_the_first_in_the_project() {
        for (line, expected) in [
            ("at charge (src/lib/payment.ts:41:17)", Some("src/lib/payment.ts:41:17")),
            ("    at src/a.ts:1:2", Some("src/a.ts:1:2")),
            ("at f (node_modules/x/y.js:1:2)", None),
            ("at f (node:internal/z:1:2)", None),
            ("at native", None),
            ("TypeError: x", None),
        ] {
            assert_eq!(place(line), expected, "{line}");
        }
    }
}

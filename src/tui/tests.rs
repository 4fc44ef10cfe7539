//! Every screen in three sizes, from fixed records at a fixed time; and what must hold whatever the records are.

use std::sync::Arc;

use bytes::Bytes;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::command::{Command, Counts, Document, Message, Row, Rows, Shelf, ShelfId, Uses};
use super::input::Action;
use super::money::{Money, NoPrices, Prices, Provider};
use super::state::{About, Effect, Hit, Purpose, Screen, State};
use super::view::{self, Drawn, Theme};
use super::{sample, text};
use crate::base::{Time, Unit};
use crate::cost::{Measure, Work};
use crate::telemetry::{Payload, Record};

/// Made-up prices: round numbers, a range for compute.
struct TestPrices;

impl Prices for TestPrices {
    fn providers(&self) -> Vec<Provider> {
        ["AWS x86", "AWS Arm", "Firebase", "Cloudflare"].map(|name| Provider { name: name.into(), date: "2026-11-01".into() }).into()
    }

    fn cost(&self, provider: usize, work: &Work) -> Money {
        let of = |unit| work.get(Measure::Unit(unit)).high as u64;
        let exact: u64 = Unit::ALL
            .iter()
            .map(|unit| {
                of(*unit)
                    * match unit {
                        Unit::TableReadHalves => 62_500,
                        Unit::TableWrites => 625_000,
                        Unit::QueueRequests => 400_000,
                        Unit::Mails => 100_000_000,
                        Unit::Invocations => 200_000,
                        Unit::RouteRequests => 1_000_000,
                        Unit::TableBytesStored => 233,
                        _ => 0,
                    }
            })
            .sum();
        let compute = of(Unit::InvocationMibMicros) / 61 * (10 - provider as u64) / 10;
        Money { low: exact + compute, high: exact + compute * 4 }
    }

    fn month(&self, provider: usize, work: &Work, free_tier: bool) -> Money {
        let cost = self.cost(provider, work);
        let free = if free_tier { 20_000_000_000_000 } else { 0 };
        Money { low: cost.low.saturating_sub(free), high: cost.high.saturating_sub(free) }
    }
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn about() -> About {
    About {
        project: "shop".into(),
        stage: "dev".into(),
        version: "0.1.0".into(),
        addresses: [("HTTP API", "3000"), ("AWS", "4566"), ("mail", "4566/_aws/ses"), ("admin", "4400")]
            .map(|(name, port)| (name.into(), format!("http://127.0.0.1:{port}")))
            .into(),
        functions: ["createOrder", "confirm", "feed", "pay", "register"].map(Into::into).into(),
        example: "curl http://127.0.0.1:3000/products".into(),
        providers: 4,
    }
}

fn empty() -> State {
    State::new(about(), Time(sample::NOON))
}

/// Ten seconds after noon: six checkouts, a failure, two problems.
fn busy() -> State {
    let mut state = empty();
    sample::shop().into_iter().for_each(|record| state.apply(record));
    state.tick(Time(sample::NOON + 10_000));
    let kept = sample::usage(&[(Unit::TableBytesStored, 48 << 20)]);
    state.hear(Message::Counts(Counts { pending: 1, in_flight: 0, dead_letters: 2, kept }));
    state
}

fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.split(' ') {
        let code = match key {
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Tab" => KeyCode::Tab,
            "Up" => KeyCode::Up,
            "Down" => KeyCode::Down,
            "Left" => KeyCode::Left,
            "Right" => KeyCode::Right,
            key => KeyCode::Char(key.chars().next().expect("a key")),
        };
        effects.extend(state.press(&KeyEvent::new(code, KeyModifiers::NONE)));
    }
    effects
}

fn terminal(state: &State, size: (u16, u16), theme: Theme, prices: &dyn Prices) -> (Terminal<TestBackend>, Drawn) {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal");
    let mut drawn = None;
    terminal.draw(|frame| drawn = Some(view::draw(state, theme, prices, frame.buffer_mut()))).expect("a picture");
    (terminal, drawn.expect("it was drawn"))
}

/// The cells as text, without blanks at the ends of lines.
fn picture(state: &State, size: (u16, u16)) -> String {
    let (terminal, _) = terminal(state, size, Theme { colours: true }, &TestPrices);
    let buffer = terminal.backend().buffer();
    let mut lines = Vec::new();
    for y in 0..size.1 {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..size.0 {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[track_caller]
fn snapshots(name: &str, state: &State) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), picture(state, size));
    }
}

fn shelves() -> Message {
    let shelf = |kind: &str, name: &str, holds: &str, uses| Shelf { id: ShelfId::new(kind, name), holds: holds.into(), uses };
    let all = Uses { edit: true, delete: true, purge: true, ..Uses::default() };
    Message::Shelves(vec![
        shelf("table", "orders", "6", all),
        shelf("table", "products", "40", all),
        shelf("bucket", "receipts", "6", Uses { delete: true, ..Uses::default() }),
        shelf("queue", "orders", "1 + 1 hidden", Uses { purge: true, ..Uses::default() }),
        shelf("topic", "news", "2 subscribers", Uses::default()),
        shelf("schedules", "", "1", Uses { fire: true, ..Uses::default() }),
        shelf("mail", "", "6", Uses { delete: true, purge: true, ..Uses::default() }),
        shelf("dead letters", "", "2", Uses { redrive: true, purge: true, ..Uses::default() }),
    ])
}

fn orders() -> Message {
    let rows = (0..6).map(|n| Row {
        key: format!("o-{n}"),
        cells: vec![
            format!("o-{n}"),
            "2026-11-21T10:00:00Z".into(),
            format!(r#"{{"product":"tea","count":{n},"customer":"ada@example.com"}}"#),
        ],
    });
    Message::Rows(Rows {
        shelf: ShelfId::new("table", "orders"),
        search: String::new(),
        columns: ["id", "created", "…"].map(Into::into).into(),
        rows: rows.collect(),
        note: None,
    })
}

fn order() -> Document {
    Document {
        shelf: ShelfId::new("table", "orders"),
        key: "o-0".into(),
        title: "o-0".into(),
        text: "{\n  \"id\": \"o-0\",\n  \"count\": 0,\n  \"product\": \"tea\"\n}".into(),
        edit: Some(r#"{"id":{"S":"o-0"}}"#.into()),
        at: Time(sample::NOON),
    }
}

fn with_data() -> State {
    let mut state = busy();
    assert_eq!(press(&mut state, "3"), [Effect::Send(Command::Shelves)]);
    let ask = state.hear(shelves());
    assert_eq!(ask, [Effect::Send(Command::Rows { shelf: ShelfId::new("table", "orders"), search: String::new() })]);
    state.hear(orders());
    state
}

#[test]
fn the_overview_before_and_after_something_happened() {
    snapshots("overview", &busy());
    snapshots("overview-empty", &empty());
}

#[test]
fn the_list_of_invocations() {
    let mut state = busy();
    press(&mut state, "2");
    snapshots("invocations", &state);
    press(&mut state, "s");
    snapshots("invocations-failed", &state);
    let mut state = empty();
    press(&mut state, "2");
    snapshots("invocations-empty", &state);
}

#[test]
fn a_trace_with_its_waterfall() {
    let mut state = busy();
    press(&mut state, "2 g Enter");
    snapshots("trace", &state);
    press(&mut state, "Down Down");
    snapshots("trace-operation", &state);
    let mut state = busy();
    let place = "src/lib/payment.ts:41:17";
    assert_eq!(press(&mut state, "2 Enter"), [Effect::Send(Command::Source { place: place.into() })]);
    let frame =
        "   39 │\n   40 │ export function charge(order) {\n   41 │   return order.cart.total;\n      │                 ^\n   42 │ }\n"
            .into();
    state.hear(Message::Source { place: place.into(), frame });
    snapshots("trace-error", &state);
}

#[test]
fn data_and_one_thing_of_it() {
    let mut state = with_data();
    snapshots("data", &state);
    press(&mut state, "Enter Down Enter Up Enter");
    state.hear(Message::Document(order()));
    snapshots("data-document", &state);
    press(&mut state, "d");
    snapshots("data-delete", &state);
}

#[test]
fn costs_by_what_began_them_and_by_service() {
    let mut state = busy();
    press(&mut state, "4");
    snapshots("cost", &state);
    press(&mut state, "Right Right p t");
    snapshots("cost-services", &state);
}

#[test]
fn logs_with_a_long_one_shown_whole() {
    let mut state = busy();
    press(&mut state, "5");
    snapshots("logs", &state);
    press(&mut state, "f");
    snapshots("logs-whole", &state);
}

#[test]
fn problems_with_what_to_do() {
    let mut state = busy();
    press(&mut state, "6 Down");
    snapshots("problems", &state);
}

#[test]
fn the_help_says_what_the_keys_of_a_screen_do() {
    let mut state = busy();
    press(&mut state, "2 ?");
    snapshots("help", &state);
}

#[test]
fn nothing_hostile_reaches_the_terminal_from_any_field_of_any_record() {
    const HOSTILE: &str = "\x1b]0;owned\x07\u{9b}2J\u{202e}\r\x08a\u{200d}b";
    let mut state = State::new(About { project: HOSTILE.into(), ..about() }, Time(sample::NOON));
    for record in sample::shop() {
        let mut record = (*record).clone();
        match &mut record {
            Record::Request(r) => (r.target, r.method, r.host) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into()),
            Record::Invocation(i) => {
                (i.function, i.trigger) = (HOSTILE.into(), HOSTILE.into());
                (i.event, i.answer) = (Payload::new(&Bytes::from(HOSTILE)), Payload::new(&Bytes::from(format!("\"{}\"", "\\u001b[2J"))));
                i.stack = vec![HOSTILE.into()];
            }
            Record::Operation(o) => {
                (o.service, o.action, o.resource, o.error) = (HOSTILE.into(), HOSTILE.into(), Some(HOSTILE.into()), Some(HOSTILE.into()))
            }
            Record::Log(l) => (l.text, l.function) = (HOSTILE.into(), HOSTILE.into()),
            Record::Delivery(d) => (d.source, d.target) = (HOSTILE.into(), HOSTILE.into()),
            Record::Push(p) => (p.title, p.to) = (HOSTILE.into(), HOSTILE.into()),
            Record::Mail(m) => (m.subject, m.to) = (HOSTILE.into(), vec![HOSTILE.into()]),
            Record::Reload(_) => {}
            Record::Problem(p) => {
                (p.message, p.help, p.frame, p.place) = (HOSTILE.into(), Some(HOSTILE.into()), Some(HOSTILE.into()), Some(HOSTILE.into()))
            }
        }
        state.apply(Arc::new(record));
    }
    state.hear(shelves());
    state.hear(Message::Rows(Rows {
        shelf: ShelfId::new("table", "orders"),
        search: String::new(),
        columns: vec![HOSTILE.into()],
        rows: vec![Row { key: HOSTILE.into(), cells: vec![HOSTILE.into()] }],
        note: Some(HOSTILE.into()),
    }));
    for keys in ["1", "2", "Enter", "Right", "Right", "Up", "Up", "3", "4", "5", "Up", "6", "?"] {
        press(&mut state, keys);
        for size in SIZES {
            let (terminal, _) = terminal(&state, size, Theme { colours: true }, &TestPrices);
            let harmful = |c: &ratatui::buffer::Cell| c.symbol().chars().any(text::is_harmful);
            assert!(!terminal.backend().buffer().content.iter().any(harmful), "screen after {keys}");
        }
    }
}

#[test]
fn no_screen_needs_more_than_sixteen_colours_or_any() {
    let mut state = with_data();
    for keys in ["1", "2", "Enter", "3", "4", "5", "6", "?"] {
        press(&mut state, keys);
        for colours in [true, false] {
            let (terminal, _) = terminal(&state, (120, 36), Theme { colours }, &TestPrices);
            for cell in &terminal.backend().buffer().content {
                let plain = |colour| colour == Color::Reset || (colours && !matches!(colour, Color::Rgb(..) | Color::Indexed(_)));
                assert!(plain(cell.fg) && plain(cell.bg), "{cell:?} on screen {keys}");
            }
        }
    }
}

#[test]
fn every_size_can_be_drawn_even_one_that_is_too_small() {
    let mut state = with_data();
    for keys in ["1", "2", "Enter", "3", "Enter", "4", "5", "6", "?"] {
        press(&mut state, keys);
        for width in [1, 5, 39, 40, 41, 60, 80, 130, 161] {
            for height in [1, 3, 9, 10, 11, 24, 70] {
                terminal(&state, (width, height), Theme { colours: true }, &NoPrices);
            }
        }
    }
}

#[test]
fn keys_ask_for_what_they_say() {
    let mut state = busy();
    press(&mut state, "2 g");
    let event = state.invocations.selected().and_then(|number| state.book.get(number)).map(|record| match &**record {
        Record::Invocation(i) => i.event.kept().clone(),
        _ => Bytes::new(),
    });
    let again = Effect::Send(Command::Invoke { function: "createOrder".into(), event: event.clone().expect("an event") });
    assert_eq!(press(&mut state, "r"), std::slice::from_ref(&again));
    let [Effect::Edit { text, purpose }] = &press(&mut state, "e")[..] else { panic!("an editor") };
    assert_eq!(text, &text::pretty(&event.expect("an event")));
    assert_eq!(state.edited(purpose.clone(), None), []);
    assert_eq!(state.edited(purpose.clone(), Some("{".into())), []);
    assert!(state.said.as_ref().is_some_and(|said| said.failed && said.text.contains("not JSON")), "{:?}", state.said);
    assert_eq!(press(&mut state, "e"), [Effect::Edit { text: "{".into(), purpose: purpose.clone() }], "what was typed is not lost");
    assert_eq!(
        state.edited(purpose.clone(), Some("7".into())),
        [Effect::Send(Command::Invoke { function: "createOrder".into(), event: "7".into() })]
    );
    let [Effect::Copy(curl)] = &press(&mut state, "y")[..] else { panic!("a curl") };
    assert!(curl.starts_with("curl -X POST http://127.0.0.1:3000/orders"), "{curl}");
    // In the trace too, from whichever bar.
    press(&mut state, "Enter Down");
    assert_eq!(press(&mut state, "r"), [again]);
    assert_eq!(press(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn data_is_changed_only_after_a_yes() {
    let mut state = with_data();
    press(&mut state, "Enter");
    assert_eq!(press(&mut state, "d n"), []);
    let shelf = ShelfId::new("table", "orders");
    assert_eq!(press(&mut state, "d y"), [Effect::Send(Command::Delete { shelf: shelf.clone(), key: "o-0".into() })]);
    assert_eq!(press(&mut state, "P y"), [Effect::Send(Command::Purge { shelf: shelf.clone() })]);
    assert_eq!(press(&mut state, "f"), [], "a table cannot be fired");
    assert!(state.said.as_ref().is_some_and(|said| said.failed));
    assert_eq!(
        press(&mut state, "e"),
        [Effect::Send(Command::View { shelf: shelf.clone(), key: "o-0".into() })],
        "all of it is looked at first"
    );
    let purpose = Purpose::Put { shelf: shelf.clone(), key: "o-0".into() };
    assert_eq!(state.hear(Message::Document(order())), [Effect::Edit { text: r#"{"id":{"S":"o-0"}}"#.into(), purpose: purpose.clone() }]);
    assert_eq!(state.edited(purpose, Some("{}".into())), [Effect::Send(Command::Put { shelf, key: "o-0".into(), text: "{}".into() })]);
}

#[test]
fn data_on_the_screen_is_read_again_when_it_may_have_changed_but_once_a_second_at_most() {
    let mut state = with_data();
    let at = |ms| Time(sample::NOON + 10_000 + ms);
    assert_eq!(state.tick(at(5)), []);
    for record in sample::checkout(9) {
        state.apply(Arc::new(record));
    }
    assert_eq!(state.tick(at(500)), []);
    assert!(state.is_moving());
    assert_eq!(state.tick(at(1_500)).len(), 2, "shelves and rows");
    assert_eq!(state.tick(at(5_000)), []);
    assert!(!state.is_moving(), "nothing is drawn again where nothing happens");
}

#[test]
fn a_search_narrows_while_it_is_typed_and_escape_drops_it() {
    let mut state = busy();
    press(&mut state, "2");
    let all = state.invocations.len();
    press(&mut state, "/ P a y q");
    assert_eq!((state.invocations.len(), state.typing.as_deref()), (0, Some("Payq")));
    state.press(&KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
    press(&mut state, "Enter");
    assert_eq!((state.invocations.len(), state.typing.clone()), (1, None));
    // What comes later is filtered too.
    for record in sample::checkout(7).into_iter().chain(sample::failure(20_000)) {
        state.apply(Arc::new(record));
    }
    assert_eq!(state.invocations.len(), 2);
    press(&mut state, "Esc");
    assert_eq!(state.invocations.len(), all + 3);
}

#[test]
fn clicks_hit_what_is_seen() {
    let mut state = busy();
    let (_, drawn) = terminal(&state, (80, 24), Theme { colours: true }, &TestPrices);
    let tab = (0..80).find_map(|x| drawn.hit(x, 0).filter(|hit| *hit == Hit::Tab(Screen::Invocations)));
    state.click(tab.expect("a tab"));
    let (_, drawn) = terminal(&state, (80, 24), Theme { colours: true }, &TestPrices);
    let row = drawn.hit(10, 5).expect("a row");
    state.click(row);
    assert!(state.detail.is_none() && !state.invocations.follows());
    state.click(row);
    assert!(state.detail.is_some(), "the second click opens");
    let (_, drawn) = terminal(&state, (80, 24), Theme { colours: true }, &TestPrices);
    assert!(matches!(drawn.hit(10, 3), Some(Hit::Bar(_))));
    assert_eq!(drawn.hit(10, 23), None);
    state.act(Action::Back);
    assert_eq!((state.screen, state.detail.is_some()), (Screen::Invocations, false));
}

#[test]
fn two_hundred_thousand_records_leave_no_more_than_is_kept() {
    let mut state = empty();
    let record = Arc::new(sample::invocation("i", crate::base::Cause::Operator));
    for _ in 0..200_000 {
        state.apply(Arc::clone(&record));
    }
    assert_eq!(state.tally.total.count, 200_000);
    assert_eq!((state.invocations.len(), state.book.len() <= 50_000), (10_000, true));
}

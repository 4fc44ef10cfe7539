//! One trace: its waterfall, and what is known of the selected bar.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Canvas, PRICE_WIDTH, split_left, split_top};
use crate::base::Usage;
use crate::cost::Work;
use crate::telemetry::{Invocation, Level, Outcome, Payload, Record, redact};
use crate::tui::state::{Hit, Part, State, top};
use crate::tui::text;
use crate::tui::waterfall::{Bar, Waterfall, What};

/// Lines of logs that are shown of one invocation.
const LOG_LINES_MAX: usize = 5_000;

impl Canvas<'_> {
    pub(super) fn detail(&mut self, area: Rect) {
        let state = self.state;
        let (Some(detail), Some(waterfall)) = (&state.detail, state.waterfall()) else { return };
        let (upper, lower) = if area.width >= 160 {
            split_left(area, area.width / 2)
        } else {
            let wanted = waterfall.bars.len() as u16 + 2;
            split_top(area, wanted.clamp(5, (area.height / 2).max(5)))
        };
        self.waterfall(upper, &waterfall, detail.number);
        match state.book.get(detail.number) {
            Some(record) => self.part(lower, record, detail.part, detail.scroll),
            None => {
                let inner = self.panel(lower, "Forgotten", "");
                self.empty(inner, &["This record has gone to make place for newer ones", "Esc goes back"]);
            }
        }
    }

    fn waterfall(&mut self, area: Rect, waterfall: &Waterfall, selected: u64) {
        let state = self.state;
        let trace = state.detail.as_ref().map(|detail| detail.trace.as_str()).unwrap_or_default();
        let cost = self.money(&waterfall.total).map(|money| format!(" · {money}")).unwrap_or_default();
        let more = if waterfall.more > 0 { format!(" · {} more", waterfall.more) } else { String::new() };
        let aside = format!("{}{cost}{more}", text::duration(waterfall.span_micros));
        let trace = if area.width >= 100 { trace } else { trace.get(..8).unwrap_or(trace) };
        let inner = self.panel(area, &format!("Trace {trace}"), &aside);
        let price = if self.priced { PRICE_WIDTH as u16 + 1 } else { 0 };
        let name = (inner.width * 2 / 5).clamp(20, 56).min(inner.width);
        let place = waterfall.bars.iter().position(|bar| bar.number == selected).unwrap_or(0);
        let from = top(place, waterfall.bars.len(), usize::from(inner.height));
        self.drawn.page = usize::from(inner.height);
        for (row, bar) in waterfall.bars.iter().skip(from).take(usize::from(inner.height)).enumerate() {
            let row = row as u16;
            let line = Rect { y: inner.y + row, height: 1, ..inner };
            let (names, rest) = split_left(line, name);
            self.bar_name(names, bar);
            let (bars, numbers) = split_left(rest, rest.width.saturating_sub(10 + price));
            self.bar_over_time(bars, bar, waterfall.span_micros);
            let took = if bar.what == What::Mail { String::new() } else { text::duration(bar.wall_micros) };
            let (took_at, price_at) = split_left(numbers, 10);
            self.put(took_at, 0, &[(&text::fit_right(&took, 9), self.theme.plain())]);
            if price > 0 && !bar.own.is_empty() {
                self.put_right(price_at, 0, &self.price(&bar.own), self.theme.money());
            }
            if bar.number == selected {
                self.mark(line, 0);
            }
            self.drawn.hits.push((line, Hit::Bar(bar.number)));
        }
    }

    fn bar_name(&mut self, area: Rect, bar: &Bar) {
        let style = self.bar_style(bar);
        let width = usize::from(area.width).saturating_sub(1);
        let guide = text::width(&bar.guide).min(width);
        let end =
            if bar.failed || !matches!(bar.end.as_str(), "200" | "ok" | "delivered") { format!(" {}", bar.end) } else { String::new() };
        let end_width = text::width(&text::line(&end)).min(width.saturating_sub(guide) / 2);
        let room = width.saturating_sub(guide + end_width);
        let label = text::fit(&bar.label, room.min(text::width(&text::line(&bar.label))));
        let end_style = if bar.failed { self.theme.bad() } else { self.theme.dim() };
        self.put(area, 0, &[(&bar.guide, self.theme.dim()), (&label, style), (&text::fit(&end, end_width), end_style)]);
    }

    fn bar_style(&self, bar: &Bar) -> Style {
        match bar.what {
            _ if bar.failed => self.theme.bad(),
            What::Request => self.theme.accent(),
            What::Invocation => self.theme.good(),
            What::Operation => self.theme.operation(),
            What::Event | What::Mail => self.theme.event(),
        }
    }

    fn bar_over_time(&mut self, area: Rect, bar: &Bar, span_micros: u64) {
        let width = u64::from(area.width);
        if width == 0 {
            return;
        }
        let column = |micros: u64| micros.saturating_mul(width) / span_micros.max(1);
        let start = column(bar.start_micros).min(width - 1);
        let end = column(bar.start_micros.saturating_add(bar.wall_micros)).clamp(start + 1, width);
        let sign = match bar.what {
            What::Request => "━",
            What::Invocation => "█",
            What::Operation => "▆",
            What::Event => "┅",
            What::Mail => "✉",
        };
        let drawn = if bar.what == What::Mail { sign.to_owned() } else { sign.repeat((end - start) as usize) };
        self.put_at(area, area.x + start as u16, 0, &[(&drawn, self.bar_style(bar))]);
    }

    fn part(&mut self, area: Rect, record: &Record, part: Part, scroll: usize) {
        let parts = State::parts(record);
        let inner = self.panel(area, &title(record), &when(record));
        let (tabs, body) = split_top(inner, 1);
        let mut x = tabs.x;
        for other in parts {
            let style = if *other == part { self.theme.bold().patch(self.theme.selected()) } else { self.theme.dim() };
            let from = x;
            x = self.put_at(tabs, x, 0, &[(&format!(" {} ", part_name(*other, record)), style)]);
            self.drawn.hits.push((Rect { x: from, width: x.saturating_sub(from), ..tabs }, Hit::Part(*other)));
        }
        let plain = self.theme.plain();
        match (part, record) {
            (Part::Event, Record::Invocation(i)) => self.payload(body, &redact::payload(&i.event), "The function got no event", scroll),
            (Part::Event, Record::Request(r)) => self.payload(body, &redact::payload(&r.body), "The request had no body", scroll),
            (Part::Answer, Record::Invocation(i)) => {
                self.payload(body, &redact::payload(&i.answer), "The function answered nothing", scroll)
            }
            (Part::Logs, Record::Invocation(i)) => self.logs_of(body, i, scroll),
            (Part::Error, Record::Invocation(i)) => self.error_of(body, i, scroll),
            _ => _ = self.text(body, &self.facts(&redact::record(record)), scroll, plain),
        }
    }

    fn payload(&mut self, area: Rect, payload: &Payload, nothing: &str, scroll: usize) {
        if payload.is_empty() {
            self.put(area, 0, &[(nothing, self.theme.dim())]);
            return;
        }
        let mut area = area;
        if payload.is_cut() {
            let (note, rest) = split_top(area, 1);
            let words = format!("only the first {} of {} are kept", text::bytes(payload.kept().len() as u64), text::bytes(payload.len()));
            self.put(note, 0, &[(&words, self.theme.warn())]);
            area = rest;
        }
        self.text(area, &text::pretty(payload.kept()), scroll, self.theme.plain());
    }

    fn logs_of(&mut self, area: Rect, i: &Invocation, scroll: usize) {
        let logs = self.state.book.trace(&i.trace).filter_map(|(_, record)| match &**record {
            Record::Log(log) if log.invocation == i.id => Some(log),
            _ => None,
        });
        let width = usize::from(area.width).saturating_sub(20);
        let mut lines = Vec::new();
        for log in logs {
            for (at, line) in text::wrap(&redact::text(&log.text), width, LOG_LINES_MAX).into_iter().enumerate() {
                let head =
                    if at == 0 { format!("{} {:<5} ", log.at.utc().format("%H:%M:%S%.3f"), log.level.label()) } else { " ".repeat(19) };
                lines.push((head, line, log.level));
            }
            if lines.len() >= LOG_LINES_MAX {
                break;
            }
        }
        if lines.is_empty() {
            self.put(area, 0, &[("It logged nothing", self.theme.dim())]);
            return;
        }
        let scroll = scroll.min(lines.len().saturating_sub(usize::from(area.height)));
        for (row, (head, line, level)) in lines.iter().skip(scroll).take(usize::from(area.height)).enumerate() {
            self.put(area, row as u16, &[(head, self.theme.dim()), (line, self.level_style(*level))]);
        }
    }

    fn error_of(&mut self, area: Rect, i: &Invocation, scroll: usize) {
        let text = match &i.outcome {
            Outcome::Succeeded => return,
            Outcome::Failed { kind, message } => {
                let stack: String = i.stack.iter().map(|line| format!("  {line}\n")).collect();
                let source = self.state.source.as_ref().filter(|(place, _)| i.stack.iter().any(|line| line.contains(&**place)));
                let frame = source.map_or("", |(_, frame)| frame.trim_matches('\n'));
                let gap = if frame.is_empty() { "" } else { "\n\n" };
                format!("{kind}: {message}\n\n{frame}{gap}{stack}")
            }
            Outcome::Refused { message } => format!("It was not run: {message}"),
        };
        self.text(area, &text, scroll, self.theme.plain());
        if scroll == 0
            && let Outcome::Failed { kind, .. } = &i.outcome
        {
            self.put(area, 0, &[(kind, self.theme.bad())]);
        }
    }

    pub(super) fn level_style(&self, level: Level) -> Style {
        match level {
            Level::Error => self.theme.bad(),
            Level::Warn => self.theme.warn(),
            Level::Info => self.theme.plain(),
            Level::Debug | Level::Trace => self.theme.dim(),
        }
    }

    /// Everything of a record that is a short word or number.
    fn facts(&self, record: &Record) -> String {
        let mut facts: Vec<(&str, String)> = Vec::new();
        let used = |own: &Usage| own.iter().map(|(unit, n)| format!("{} {}", text::count(n), unit.label())).collect::<Vec<_>>().join(", ");
        match record {
            Record::Request(r) => {
                facts.push((
                    "answered",
                    format!(
                        "{} after {}, {} in, {} out",
                        r.status,
                        text::duration(r.span.wall_micros),
                        text::bytes(r.bytes_in),
                        text::bytes(r.bytes_out)
                    ),
                ));
                facts.push(("to", format!("{} ({})", r.host, r.face)));
                facts.extend(r.function.as_ref().map(|name| ("function", name.to_string())));
                facts.push(("used", used(&r.own)));
                facts.extend(r.headers.iter().map(|(name, value)| ("header", format!("{name}: {value}"))));
            }
            Record::Invocation(i) => {
                facts.push((
                    "took",
                    format!(
                        "{}, {} CPU, waited {}",
                        text::duration(i.span.wall_micros),
                        text::duration(i.cpu_micros),
                        text::duration(i.queued_micros)
                    ),
                ));
                facts.push(("memory", format!("{} at most, of {} MB given to it", text::bytes(i.memory_peak_bytes), i.memory_mib)));
                facts.push(("trigger", format!("{}, {} deep", i.trigger, i.depth)));
                facts.push((
                    "build",
                    format!("number {}, {}, {}", i.build, text::bytes(i.bundle_bytes), if i.cold { "cold" } else { "warm" }),
                ));
                let bill = self.state.detail.as_ref().and_then(|detail| self.state.bill(detail.number));
                facts.extend(bill.and_then(|work| self.money(work)).map(|money| ("cost", money.to_string())));
                facts.push(("used", used(&i.usage)));
                facts.push(("id", i.id.to_string()));
            }
            Record::Operation(o) => {
                facts.push(("operation", format!("{} {}", o.service, o.action)));
                facts.extend(o.resource.as_ref().map(|name| ("on", name.to_string())));
                let error = o.error.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
                facts.push(("answered", format!("{}{error} after {}", o.status, text::duration(o.span.wall_micros))));
                facts.extend(
                    o.search
                        .as_ref()
                        .map(|s| ("looked at", format!("{}, gave {}", text::counted(s.looked_at, "item"), text::count(s.gave)))),
                );
                facts.push(("used", used(&o.own)));
                facts.extend(self.money(&Work::counted(&o.own)).map(|money| ("cost", money.to_string())));
            }
            Record::Delivery(d) => {
                facts.push(("from", d.source.clone()));
                facts.push(("to", d.target.clone()));
                let end = match &d.outcome {
                    Outcome::Succeeded => "delivered".to_owned(),
                    Outcome::Failed { kind, message } => format!("{kind}: {message}"),
                    Outcome::Refused { message } => message.clone(),
                };
                facts.push(("attempt", format!("{}: {end}", d.attempt)));
                facts.extend(d.again.map(|time| ("again", format!("{} ({})", time.iso(), text::away(self.state.now, time)))));
                facts.extend(d.dead.as_ref().map(|dead| ("given up", dead.clone())));
                facts.push(("used", used(&d.own)));
            }
            Record::Mail(m) => {
                facts.push(("from", m.from.clone()));
                facts.push(("to", m.to.join(", ")));
                facts.push(("subject", m.subject.clone()));
                facts.push(("read it", "3 Data › mail".to_owned()));
            }
            Record::Push(p) => {
                facts.push(("to", p.to.clone()));
                facts.push(("devices", p.count.to_string()));
                facts.push(("title", p.title.clone()));
                facts.push(("read it", "3 Data › pushes".to_owned()));
            }
            Record::Log(_) | Record::Reload(_) | Record::Problem(_) => {}
        }
        facts.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name:<10} {value}\n")).collect()
    }
}

fn title(record: &Record) -> String {
    match record {
        Record::Request(r) => format!("{} {}", r.method, redact::pairs(&r.target)),
        Record::Invocation(i) => i.function.to_string(),
        Record::Operation(o) => format!("{} {}", o.service, o.action),
        Record::Delivery(d) => format!("{} → {}", d.source, d.target),
        Record::Mail(_) => "Mail".into(),
        Record::Push(_) => "Push".into(),
        Record::Log(_) | Record::Reload(_) | Record::Problem(_) => String::new(),
    }
}

fn when(record: &Record) -> String {
    record.at().utc().format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn part_name(part: Part, record: &Record) -> &'static str {
    match (part, record) {
        (Part::Facts, _) => "Facts",
        (Part::Event, Record::Request(_)) => "Body",
        (Part::Event, _) => "Event",
        (Part::Answer, _) => "Answer",
        (Part::Logs, _) => "Logs",
        (Part::Error, _) => "Error",
    }
}

//! The arithmetic of sizes and places, as sharp 0.35 and the libvips beneath it do it. Pure.

use serde::Deserialize;

/// A width and a height in pixels, both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// What is left where the sides change places.
    pub fn turned(self) -> Size {
        Size { width: self.height, height: self.width }
    }

    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The bytes of that many channels.
    pub fn bytes(self, channels: usize) -> u64 {
        self.pixels().saturating_mul(channels as u64)
    }
}

/// How a picture is fitted into a width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Covers both, cropped.
    #[default]
    Cover,
    /// Lies within both, with bars.
    Contain,
    /// Has both, distorted.
    Fill,
    /// As large as may be within both.
    Inside,
    /// As small as may be around both.
    Outside,
}

/// What a resize is asked for. Without a width and a height nothing is resized.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wish {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub fit: Fit,
    pub without_enlargement: bool,
    pub without_reduction: bool,
    /// Where to crop or to place: 0 the centre, 1 to 4 north, east, south, west, 5 to 8 the corners from north-east on.
    pub position: u8,
}

/// How a picture's file was made, as far as its first, coarse shrinking goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preshrink {
    /// A JPEG is shrunk by 2, 4 or 8 while it is decoded, which leaves sides rounded down. `fast` allows it down to the very size.
    Jpeg {
        fast: bool,
    },
    /// A WebP is scaled to the size while it is decoded.
    WebP,
    No,
}

/// The factors by which a picture is made smaller, across and down. Below 1 it becomes larger.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shrink {
    across: f64,
    down: f64,
}

fn shrink(size: Size, wish: &Wish) -> Shrink {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let ratio = |side: f64, wished: Option<u32>| wished.map(|wished| side / f64::from(wished.max(1)));
    let fill = wish.fit == Fit::Fill;
    let (mut across, mut down) = match (ratio(width, wish.width), ratio(height, wish.height)) {
        (None, None) => (1.0, 1.0),
        (Some(across), None) => (across, if fill { 1.0 } else { across }),
        (None, Some(down)) => (if fill { 1.0 } else { down }, down),
        (Some(across), Some(down)) => match wish.fit {
            Fit::Fill => (across, down),
            Fit::Cover | Fit::Outside => (across.min(down), across.min(down)),
            Fit::Contain | Fit::Inside => (across.max(down), across.max(down)),
        },
    };
    if wish.without_reduction {
        (across, down) = (across.min(1.0), down.min(1.0));
    } else if wish.without_enlargement {
        (across, down) = (across.max(1.0), down.max(1.0));
    }
    // A side never vanishes.
    Shrink { across: across.min(width), down: down.min(height) }
}

/// To the nearest whole number, halves up, at least 1.
fn whole(side: f64) -> u32 {
    ((side + 0.5).floor() as u32).max(1)
}

/// The same with halves to the even number.
fn even(side: f64) -> u32 {
    (side.round_ties_even() as u32).max(1)
}

fn jpeg_factor(shrink: Shrink, fast: bool) -> u32 {
    let shrink = shrink.across.min(shrink.down);
    let room = if fast { 1.0 } else { 2.0 };
    let factor = [8, 4, 2].into_iter().find(|factor| shrink >= f64::from(*factor) * room).unwrap_or(1);
    // Where it would be the whole of the shrinking, its rounding would show.
    if factor > 1 && shrink as u32 == factor { factor / 2 } else { factor }
}

/// The size that a picture is scaled to, before anything is cut off or added.
pub fn scaled(size: Size, wish: &Wish, preshrink: Preshrink) -> Size {
    let first = shrink(size, wish);
    let wished = wish.width.is_some() || wish.height.is_some();
    let from = match preshrink {
        Preshrink::Jpeg { fast } if wished => {
            let factor = jpeg_factor(first, fast);
            Size { width: (size.width / factor).max(1), height: (size.height / factor).max(1) }
        }
        Preshrink::WebP if wished && first.across.min(first.down) > 1.0 => {
            let by = first.across.min(first.down);
            Size { width: even(f64::from(size.width) / by), height: even(f64::from(size.height) / by) }
        }
        _ => size,
    };
    let second = shrink(from, wish);
    Size { width: whole(f64::from(from.width) / second.across), height: whole(f64::from(from.height) / second.down) }
}

/// A rectangle of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Area {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

impl Area {
    pub fn size(self) -> Size {
        Size { width: self.width, height: self.height }
    }

    /// Whether it has pixels, all of them within a picture of that size.
    pub fn is_within(self, size: Size) -> bool {
        let ends = |from: u32, length: u32, side: u32| length > 0 && from.checked_add(length).is_some_and(|end| end <= side);
        ends(self.left, self.width, size.width) && ends(self.top, self.height, size.height)
    }
}

/// A rule for a place along one side.
#[derive(Clone, Copy)]
enum Along {
    Start,
    Middle,
    End,
}

/// What a position means across and down.
fn along(position: u8) -> (Along, Along) {
    match position {
        1 => (Along::Middle, Along::Start),
        2 => (Along::End, Along::Middle),
        3 => (Along::Middle, Along::End),
        4 => (Along::Start, Along::Middle),
        5 => (Along::End, Along::Start),
        6 => (Along::End, Along::End),
        7 => (Along::Start, Along::End),
        8 => (Along::Start, Along::Start),
        _ => (Along::Middle, Along::Middle),
    }
}

fn half(side: i64, up: bool) -> i64 {
    // Division towards zero, as in C.
    (side + i64::from(up)) / 2
}

/// Where the upper left corner of a picture is that lies in, or over, another one, at a position. A middle that falls between two pixels is
/// the one further right or down.
pub fn place(within: Size, size: Size, position: u8) -> (i64, i64) {
    at(within, size, position, true)
}

fn at(within: Size, size: Size, position: u8, up: bool) -> (i64, i64) {
    let (across, down) = along(position);
    let offset = |rule: Along, within: u32, side: u32| {
        let free = i64::from(within) - i64::from(side);
        match rule {
            Along::Start => 0,
            Along::Middle => half(free, up),
            Along::End => free,
        }
    };
    (offset(across, within.width, size.width), offset(down, within.height, size.height))
}

/// What is done to a scaled picture so that it has the size that was wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// It is as it should be.
    Keep,
    /// Only this part of it is kept.
    Crop(Area),
    /// It is laid on a ground of this size, there.
    Embed { size: Size, left: u32, top: u32 },
}

/// What is done to a picture that was scaled.
pub fn frame(size: Size, wish: &Wish) -> Frame {
    let wished = Size { width: wish.width.unwrap_or(size.width), height: wish.height.unwrap_or(size.height) };
    if wished == size {
        return Frame::Keep;
    }
    match wish.fit {
        Fit::Cover => {
            let kept = Size { width: wished.width.min(size.width), height: wished.height.min(size.height) };
            if kept == size {
                return Frame::Keep;
            }
            let (left, top) = place(size, kept, wish.position);
            Frame::Crop(Area { left: left as u32, top: top as u32, width: kept.width, height: kept.height })
        }
        Fit::Contain => {
            let (left, top) = at(wished, size, wish.position, false);
            let ground = Size { width: wished.width.max(size.width), height: wished.height.max(size.height) };
            Frame::Embed { size: ground, left: left.max(0) as u32, top: top.max(0) as u32 }
        }
        Fit::Fill | Fit::Inside | Fit::Outside => Frame::Keep,
    }
}

/// The size of a picture that was turned by any angle, and so has corners of background.
pub fn turned(size: Size, degrees: f64) -> Size {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    // The corners of the turned rectangle, and the whole pixels around them.
    let corners =
        [(0.0, 0.0), (width * cos, width * sin), (-height * sin, height * cos), (width * cos - height * sin, width * sin + height * cos)];
    let side = |of: fn(&(f64, f64)) -> f64| {
        let low = corners.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        whole(high - low)
    };
    Size { width: side(|corner| corner.0), height: side(|corner| corner.1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    /// The size of the answer, from input to the end.
    fn answer(from: Size, wish: &Wish, preshrink: Preshrink) -> Size {
        let scaled = scaled(from, wish, preshrink);
        match frame(scaled, wish) {
            Frame::Keep => scaled,
            Frame::Crop(area) => {
                assert!(area.is_within(scaled), "{area:?} in {scaled:?}");
                area.size()
            }
            Frame::Embed { size, left, top } => {
                assert!(left + scaled.width <= size.width && top + scaled.height <= size.height, "{scaled:?} in {size:?}");
                size
            }
        }
    }

    const JPEG: Preshrink = Preshrink::Jpeg { fast: true };
    const SLOW: Preshrink = Preshrink::Jpeg { fast: false };
    const WEBP: Preshrink = Preshrink::WebP;
    const NONE: Preshrink = Preshrink::No;
    /// No enlargement, no reduction, either.
    const SMALLER: (bool, bool) = (true, false);
    const LARGER: (bool, bool) = (false, true);
    const ANY: (bool, bool) = (false, false);

    /// The input's size, how it is read, what is wished for, and the answer's size.
    type Row = ((u32, u32), Preshrink, (u32, u32), Fit, (bool, bool), (u32, u32));

    #[test]
    fn sizes_are_those_of_sharp() {
        use Fit::{Contain, Cover, Fill, Inside, Outside};
        // As sharp 0.35.5 answered. Width or height 0: not given.
        #[rustfmt::skip]
        let rows: &[Row] = &[
            ((400, 300), WEBP, (150, 0), Cover, ANY, (150, 112)),
            ((400, 300), NONE, (150, 0), Cover, ANY, (150, 113)),
            ((68, 66), JPEG, (0, 9), Contain, SMALLER, (10, 9)),
            ((447, 242), JPEG, (0, 29), Inside, SMALLER, (54, 29)),
            ((75, 41), JPEG, (13, 0), Contain, SMALLER, (13, 7)),
            ((480, 497), JPEG, (84, 0), Contain, ANY, (84, 87)),
            ((382, 408), SLOW, (6, 6), Outside, ANY, (6, 7)),
            ((27, 49), NONE, (87, 8), Contain, SMALLER, (87, 8)),
            ((27, 49), NONE, (0, 8), Inside, ANY, (4, 8)),
            ((27, 49), NONE, (50, 0), Contain, ANY, (50, 91)),
            ((27, 49), NONE, (39, 0), Inside, ANY, (39, 71)),
            ((4, 31), JPEG, (0, 19), Inside, LARGER, (4, 31)),
            ((4, 31), JPEG, (5, 0), Fill, LARGER, (5, 31)),
            ((4, 31), JPEG, (0, 59), Contain, ANY, (8, 59)),
            ((85, 596), WEBP, (0, 25), Fill, LARGER, (85, 596)),
            ((85, 596), WEBP, (105, 0), Cover, LARGER, (105, 736)),
            ((85, 596), WEBP, (0, 608), Contain, LARGER, (87, 608)),
            ((85, 596), WEBP, (0, 1044), Inside, ANY, (149, 1044)),
            ((1, 38), JPEG, (2, 90), Outside, LARGER, (2, 90)),
            ((1, 38), JPEG, (0, 51), Outside, ANY, (1, 51)),
            ((1, 38), JPEG, (0, 89), Fill, LARGER, (1, 89)),
            ((1, 38), JPEG, (1, 4), Inside, ANY, (1, 4)),
            ((130, 421), WEBP, (25, 12), Contain, LARGER, (130, 421)),
            ((130, 421), WEBP, (72, 48), Outside, ANY, (72, 233)),
            ((130, 421), NONE, (113, 76), Outside, LARGER, (130, 421)),
            ((534, 537), WEBP, (871, 0), Fill, SMALLER, (534, 537)),
            ((534, 537), WEBP, (0, 32), Inside, SMALLER, (32, 32)),
            ((534, 537), NONE, (276, 742), Inside, SMALLER, (276, 278)),
            ((534, 537), WEBP, (66, 0), Outside, LARGER, (534, 537)),
            ((54, 15), NONE, (50, 22), Cover, SMALLER, (50, 15)),
            ((54, 15), NONE, (56, 0), Outside, ANY, (56, 16)),
            ((54, 15), NONE, (52, 0), Fill, ANY, (52, 15)),
            ((54, 15), NONE, (33, 50), Outside, ANY, (180, 50)),
            ((494, 59), NONE, (2, 0), Outside, ANY, (2, 1)),
            ((494, 59), WEBP, (6, 0), Contain, LARGER, (494, 59)),
            ((494, 59), WEBP, (37, 55), Cover, ANY, (37, 55)),
            ((53, 82), NONE, (73, 41), Contain, ANY, (73, 41)),
            ((53, 82), NONE, (0, 48), Cover, ANY, (31, 48)),
            ((53, 82), NONE, (0, 127), Outside, SMALLER, (53, 82)),
            ((29, 46), NONE, (0, 62), Contain, ANY, (39, 62)),
            ((55, 50), JPEG, (85, 95), Outside, SMALLER, (55, 50)),
            ((55, 50), JPEG, (0, 9), Fill, SMALLER, (55, 9)),
            ((55, 50), JPEG, (67, 20), Inside, SMALLER, (22, 20)),
            ((51, 12), SLOW, (1, 0), Cover, ANY, (1, 1)),
            ((51, 12), JPEG, (16, 0), Contain, SMALLER, (16, 4)),
            ((51, 12), JPEG, (86, 0), Cover, SMALLER, (51, 12)),
            ((14, 33), NONE, (65, 27), Fill, ANY, (65, 27)),
            ((14, 33), NONE, (0, 45), Outside, LARGER, (19, 45)),
            ((202, 43), JPEG, (64, 17), Outside, ANY, (80, 17)),
            ((202, 43), SLOW, (0, 67), Inside, ANY, (315, 67)),
            ((202, 43), JPEG, (106, 0), Outside, LARGER, (202, 43)),
            ((47, 35), NONE, (0, 5), Fill, ANY, (47, 5)),
            ((47, 35), NONE, (41, 43), Cover, ANY, (41, 43)),
            ((47, 35), NONE, (30, 16), Inside, ANY, (21, 16)),
            ((47, 35), NONE, (0, 34), Fill, LARGER, (47, 35)),
            ((14, 35), NONE, (0, 66), Cover, SMALLER, (14, 35)),
            ((6, 15), JPEG, (8, 0), Inside, SMALLER, (6, 15)),
            ((37, 63), NONE, (96, 0), Inside, LARGER, (96, 163)),
            ((246, 145), NONE, (0, 37), Fill, SMALLER, (246, 37)),
            ((246, 145), NONE, (0, 148), Inside, SMALLER, (246, 145)),
            ((78, 36), NONE, (0, 14), Inside, LARGER, (78, 36)),
            ((10, 31), NONE, (0, 54), Contain, LARGER, (17, 54)),
            ((77, 82), JPEG, (52, 0), Inside, LARGER, (77, 82)),
            ((1, 544), NONE, (1, 0), Contain, SMALLER, (1, 544)),
            ((1, 544), WEBP, (18, 0), Inside, LARGER, (18, 9792)),
            ((1, 544), WEBP, (60, 0), Inside, ANY, (60, 32640)),
            ((18, 56), JPEG, (72, 29), Fill, ANY, (72, 29)),
            ((18, 56), JPEG, (0, 81), Outside, LARGER, (26, 81)),
            ((64, 77), NONE, (0, 45), Outside, ANY, (37, 45)),
            ((81, 9), WEBP, (69, 3), Cover, SMALLER, (69, 3)),
            ((81, 9), WEBP, (11, 0), Cover, ANY, (11, 1)),
            ((252, 25), JPEG, (99, 0), Fill, SMALLER, (99, 25)),
        ];
        for (from, preshrink, wished, fit, (without_enlargement, without_reduction), expected) in rows {
            let given = |side: u32| (side > 0).then_some(side);
            let wish = Wish {
                width: given(wished.0),
                height: given(wished.1),
                fit: *fit,
                without_enlargement: *without_enlargement,
                without_reduction: *without_reduction,
                position: 0,
            };
            let found = answer(size(from.0, from.1), &wish, *preshrink);
            assert_eq!((found.width, found.height), *expected, "{from:?} {preshrink:?} {wish:?}");
        }
    }

    #[test]
    fn a_place_is_counted_from_the_position() {
        for (position, cropped, embedded) in [
            (0, (2, 1), (1, 1)),
            (1, (2, 0), (1, 0)),
            (2, (3, 1), (3, 1)),
            (3, (2, 2), (1, 2)),
            (4, (0, 1), (0, 1)),
            (5, (3, 0), (3, 0)),
            (6, (3, 2), (3, 2)),
            (7, (0, 2), (0, 2)),
            (8, (0, 0), (0, 0)),
        ] {
            // Three columns and two rows are left over.
            assert_eq!(place(size(5, 5), size(2, 3), position), cropped, "{position}");
            let wish = Wish { width: Some(5), height: Some(5), fit: Fit::Contain, position, ..Wish::default() };
            let Frame::Embed { left, top, .. } = frame(size(2, 3), &wish) else { panic!("{position} is not embedded") };
            assert_eq!((left, top), embedded, "{position}");
        }
    }

    #[test]
    fn a_turned_picture_is_as_large_as_its_corners_are_apart() {
        for ((width, height), degrees, expected) in [
            ((8, 6), 1.0, (8, 6)),
            ((101, 37), 1.0, (102, 39)),
            ((8, 6), 10.0, (9, 7)),
            ((101, 37), 10.0, (106, 54)),
            ((101, 37), 45.0, (98, 98)),
            ((101, 37), 89.5, (38, 101)),
            ((8, 6), 100.0, (7, 9)),
            ((101, 37), 200.0, (108, 69)),
            ((101, 37), 300.0, (83, 106)),
            ((101, 37), -20.0, (108, 69)),
        ] {
            let found = turned(size(width, height), degrees);
            assert_eq!((found.width, found.height), expected, "{width}x{height} by {degrees}");
        }
    }

    fn any_fit() -> impl Strategy<Value = Fit> {
        prop_oneof![Just(Fit::Cover), Just(Fit::Contain), Just(Fit::Fill), Just(Fit::Inside), Just(Fit::Outside)]
    }

    fn any_preshrink() -> impl Strategy<Value = Preshrink> {
        prop_oneof![Just(JPEG), Just(SLOW), Just(WEBP), Just(NONE)]
    }

    proptest! {
        #[test]
        fn every_size_keeps_the_rules_of_its_fit(
            (width, height) in (1u32..4000, 1u32..4000),
            (wide, high) in (1u32..3000, 1u32..3000),
            fit in any_fit(),
            preshrink in any_preshrink(),
            position in 0u8..9,
        ) {
            let wish = Wish { width: Some(wide), height: Some(high), fit, position, ..Wish::default() };
            let found = answer(size(width, height), &wish, preshrink);
            match fit {
                Fit::Cover | Fit::Contain | Fit::Fill => prop_assert_eq!(found, size(wide, high)),
                Fit::Inside => prop_assert!((found.width == wide && found.height <= high) || (found.height == high && found.width <= wide)),
                Fit::Outside => prop_assert!((found.width == wide && found.height >= high) || (found.height == high && found.width >= wide)),
            }
        }

        #[test]
        fn what_must_not_grow_does_not_and_what_must_not_shrink_does_not(
            (width, height) in (1u32..3000, 1u32..3000),
            (wide, high) in (prop::option::of(1u32..3000), prop::option::of(1u32..3000)),
            fit in any_fit(),
            preshrink in any_preshrink(),
        ) {
            let small = Wish { width: wide, height: high, fit, without_enlargement: true, ..Wish::default() };
            let found = scaled(size(width, height), &small, preshrink);
            prop_assert!(found.width <= width && found.height <= height, "{:?}", found);
            let large = Wish { width: wide, height: high, fit, without_reduction: true, ..Wish::default() };
            let found = scaled(size(width, height), &large, preshrink);
            prop_assert!(found.width >= width && found.height >= height, "{:?}", found);
        }

        #[test]
        fn one_side_alone_keeps_the_proportions(
            (width, height) in (1u32..4000, 1u32..4000),
            wide in 1u32..3000,
            fit in prop_oneof![Just(Fit::Cover), Just(Fit::Contain), Just(Fit::Inside), Just(Fit::Outside)],
        ) {
            let wish = Wish { width: Some(wide), fit, ..Wish::default() };
            let found = answer(size(width, height), &wish, NONE);
            let exact = f64::from(height) * f64::from(wide) / f64::from(width);
            prop_assert!((f64::from(found.height) - exact).abs() <= 0.5 || found.height == 1, "{:?}, exactly {}", found, exact);
        }
    }
}

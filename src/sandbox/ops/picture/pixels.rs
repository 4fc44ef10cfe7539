//! Pixels of eight bits a channel, and what moves or mixes them. The last of two or four channels is opacity, never premultiplied unless a
//! function says so.

use super::geometry::{Area, Size};
use super::{Halt, Problem};

/// A picture without a file around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    pub size: Size,
    /// 1 to 4.
    pub channels: usize,
    /// Row by row; `width × height × channels` bytes.
    pub data: Vec<u8>,
}

/// Red, green, blue, opacity, 0 to 255 each.
pub type Colour = [u8; 4];

/// What lies beside a picture that is given more room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ground {
    #[default]
    Background,
    /// The outermost pixels, on and on.
    Copy,
    /// The picture again.
    Repeat,
    /// The picture again, mirrored.
    Mirror,
}

impl Pixels {
    /// A picture of one colour.
    pub fn filled(size: Size, channels: usize, colour: &[u8]) -> Pixels {
        let count = size.pixels() as usize;
        let mut data = Vec::with_capacity(count * channels);
        for _ in 0..count {
            data.extend((0..channels).map(|channel| colour.get(channel).copied().unwrap_or(255)));
        }
        Pixels { size, channels, data }
    }

    pub fn has_opacity(&self) -> bool {
        matches!(self.channels, 2 | 4)
    }

    /// Channels that are colour.
    pub fn colours(&self) -> usize {
        self.channels - usize::from(self.has_opacity())
    }

    pub fn row_bytes(&self) -> usize {
        self.size.width as usize * self.channels
    }

    pub fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        self.data.chunks_exact(self.row_bytes())
    }

    fn at(&self, x: u32, y: u32) -> &[u8] {
        let from = (y as usize * self.size.width as usize + x as usize) * self.channels;
        &self.data[from..from + self.channels]
    }

    /// A colour as these channels have it: grey where there is no colour.
    pub fn colour(&self, colour: Colour) -> Vec<u8> {
        let [red, green, blue, opacity] = colour;
        let mut own = if self.colours() == 1 { vec![luma(red, green, blue)] } else { vec![red, green, blue] };
        if self.has_opacity() {
            own.push(opacity);
        }
        own
    }

    /// Builds a picture of another size, pixel by pixel, from this one's.
    fn mapped(&self, size: Size, halt: &Halt, from: impl Fn(u32, u32) -> (u32, u32)) -> Result<Pixels, Problem> {
        halt.room(size.bytes(self.channels))?;
        let mut data = Vec::with_capacity(size.pixels() as usize * self.channels);
        for y in 0..size.height {
            halt.check()?;
            for x in 0..size.width {
                let (x, y) = from(x, y);
                data.extend_from_slice(self.at(x, y));
            }
        }
        Ok(Pixels { size, channels: self.channels, data })
    }

    /// Turned clockwise by a number of right angles.
    pub fn quarters(self, quarters: u32, halt: &Halt) -> Result<Pixels, Problem> {
        let Size { width, height } = self.size;
        match quarters % 4 {
            1 => self.mapped(self.size.turned(), halt, |x, y| (y, height - 1 - x)),
            2 => self.mapped(self.size, halt, |x, y| (width - 1 - x, height - 1 - y)),
            3 => self.mapped(self.size.turned(), halt, |x, y| (width - 1 - y, x)),
            _ => Ok(self),
        }
    }

    /// Upside down.
    pub fn flip(self, halt: &Halt) -> Result<Pixels, Problem> {
        let height = self.size.height;
        self.mapped(self.size, halt, |x, y| (x, height - 1 - y))
    }

    /// Left and right changed.
    pub fn flop(self, halt: &Halt) -> Result<Pixels, Problem> {
        let width = self.size.width;
        self.mapped(self.size, halt, |x, y| (width - 1 - x, y))
    }

    /// A part of it, which must lie within.
    pub fn extract(&self, area: Area) -> Result<Pixels, Problem> {
        if !area.is_within(self.size) {
            return Err(Problem::new("extract_area: bad extract area"));
        }
        let bytes = area.width as usize * self.channels;
        let mut data = Vec::with_capacity(bytes * area.height as usize);
        for row in self.rows().skip(area.top as usize).take(area.height as usize) {
            let from = area.left as usize * self.channels;
            data.extend_from_slice(&row[from..from + bytes]);
        }
        Ok(Pixels { size: area.size(), channels: self.channels, data })
    }

    /// The picture in a larger one. Where the background lets shine through, the result has opacity.
    pub fn embed(self, size: Size, left: u32, top: u32, colour: Colour, ground: Ground, halt: &Halt) -> Result<Pixels, Problem> {
        if ground != Ground::Background {
            let (own, left, top) = (self.size, i64::from(left), i64::from(top));
            return self.mapped(size, halt, |x, y| {
                (beside(i64::from(x) - left, own.width, ground), beside(i64::from(y) - top, own.height, ground))
            });
        }
        let with = if colour[3] < 255 { self.with_opacity(255) } else { self };
        let fill = with.colour(colour);
        halt.room(size.bytes(with.channels))?;
        let mut whole = Pixels::filled(size, with.channels, &fill);
        let (wide, from) = (whole.row_bytes(), left as usize * with.channels);
        for (y, row) in with.rows().enumerate() {
            halt.check()?;
            let start = (y + top as usize) * wide + from;
            whole.data[start..start + row.len()].copy_from_slice(row);
        }
        Ok(whole)
    }

    /// With a channel of opacity, as it is or of this value.
    pub fn with_opacity(self, value: u8) -> Pixels {
        if self.has_opacity() {
            return self;
        }
        let data = self.data.chunks_exact(self.channels).flat_map(|pixel| pixel.iter().copied().chain([value])).collect();
        Pixels { size: self.size, channels: self.channels + 1, data }
    }

    /// Without opacity, as if it were not there.
    pub fn without_opacity(self) -> Pixels {
        if !self.has_opacity() {
            return self;
        }
        let colours = self.colours();
        let data = self.data.chunks_exact(self.channels).flat_map(|pixel| pixel[..colours].iter().copied()).collect();
        Pixels { size: self.size, channels: colours, data }
    }

    /// Laid on a ground of one colour, which leaves no opacity.
    pub fn flatten(self, ground: Colour) -> Pixels {
        if !self.has_opacity() {
            return self;
        }
        let ground = self.colour(ground);
        let colours = self.colours();
        let mut data = Vec::with_capacity(self.size.pixels() as usize * colours);
        for pixel in self.data.chunks_exact(self.channels) {
            let opacity = u32::from(pixel[colours]);
            let mix = |(own, under): (&u8, &u8)| ((u32::from(*own) * opacity + u32::from(*under) * (255 - opacity)) / 255) as u8;
            data.extend(pixel[..colours].iter().zip(&ground).map(mix));
        }
        Pixels { size: self.size, channels: colours, data }
    }

    /// Shades of grey in one channel of colour.
    pub fn grey(self) -> Pixels {
        if self.colours() == 1 {
            return self;
        }
        let channels = self.channels - 2;
        let mut data = Vec::with_capacity(self.size.pixels() as usize * channels);
        let light = Light::new();
        for pixel in self.data.chunks_exact(self.channels) {
            data.push(light.luma(pixel[0], pixel[1], pixel[2]));
            data.extend_from_slice(&pixel[3..]);
        }
        Pixels { size: self.size, channels, data }
    }

    /// Three channels of colour, also where they are equal.
    pub fn rgb(self) -> Pixels {
        if self.colours() == 3 {
            return self;
        }
        let channels = self.channels + 2;
        let mut data = Vec::with_capacity(self.size.pixels() as usize * channels);
        for pixel in self.data.chunks_exact(self.channels) {
            data.extend([pixel[0]; 3]);
            data.extend_from_slice(&pixel[1..]);
        }
        Pixels { size: self.size, channels, data }
    }

    /// One channel alone.
    pub fn channel(self, channel: usize) -> Pixels {
        let data = self.data.chunks_exact(self.channels).map(|pixel| pixel[channel]).collect();
        Pixels { size: self.size, channels: 1, data }
    }

    /// Changes each value of the channels of colour, and of opacity where that is asked for.
    pub fn each(&mut self, and_opacity: bool, change: impl Fn(u8) -> u8) {
        let table: Vec<u8> = (0..=255).map(change).collect();
        let count = if and_opacity { self.channels } else { self.colours() };
        for pixel in self.data.chunks_exact_mut(self.channels) {
            for value in &mut pixel[..count] {
                *value = table[usize::from(*value)];
            }
        }
    }

    /// Changes each channel by a line of its own: `value × slope + offset`; one line is for all colours.
    pub fn linear(&mut self, slopes: &[f64], offsets: &[f64]) -> Result<(), Problem> {
        let count = if slopes.len() == 1 { self.colours() } else { slopes.len() };
        if count > self.channels || slopes.is_empty() || slopes.len() != offsets.len() {
            return Err(Problem::new("Band expansion using linear is unsupported"));
        }
        for pixel in self.data.chunks_exact_mut(self.channels) {
            for (index, value) in pixel[..count].iter_mut().enumerate() {
                let line = index.min(slopes.len() - 1);
                *value = (f64::from(*value) * slopes[line] + offsets[line]) as u8;
            }
        }
        Ok(())
    }

    /// The part that is not background: the pixels that differ from it by more than `threshold` in a channel. The background is that of the
    /// upper left corner where no colour is given. Specks do not count, unless `fine` says that lines may be one pixel thin. `None` where
    /// all is background.
    pub fn trimmed(&self, background: Option<Colour>, threshold: f64, fine: bool, halt: &Halt) -> Result<Option<Area>, Problem> {
        let ground = match background {
            Some(colour) => self.colour(colour),
            None => self.at(0, 0).to_vec(),
        };
        // What nobody sees has no colour.
        let ground = unseen(&ground);
        let differs = |pixel: &[u8]| unseen(pixel).iter().zip(&ground).any(|(own, under)| f64::from(own.abs_diff(*under)) > threshold);
        halt.room(self.size.pixels())?;
        let mut mask = Vec::with_capacity(self.size.pixels() as usize);
        for row in self.rows() {
            halt.check()?;
            mask.extend(row.chunks_exact(self.channels).map(differs));
        }
        let Size { width, height } = self.size;
        let at = |x: i64, y: i64| {
            let (x, y) = (x.clamp(0, i64::from(width) - 1), y.clamp(0, i64::from(height) - 1));
            mask[(y * i64::from(width) + x) as usize]
        };
        // The middle one of nine decides: five of them differ.
        let counts = |x: u32, y: u32| {
            let (x, y) = (i64::from(x), i64::from(y));
            let near = (-1..=1).flat_map(|down| (-1..=1).map(move |across| (x + across, y + down)));
            if fine { at(x, y) } else { near.filter(|(x, y)| at(*x, *y)).count() >= 5 }
        };
        let mut found: Option<(u32, u32, u32, u32)> = None;
        for y in 0..height {
            halt.check()?;
            for x in (0..width).filter(|x| counts(*x, y)) {
                let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
                found = Some((left.min(x), top, right.max(x), bottom.max(y)));
            }
        }
        Ok(found.map(|(left, top, right, bottom)| Area { left, top, width: right + 1 - left, height: bottom + 1 - top }))
    }
}

/// A pixel as it looks: black where it is wholly transparent.
fn unseen(pixel: &[u8]) -> Vec<u8> {
    let transparent = matches!(pixel.len(), 2 | 4) && pixel.last() == Some(&0);
    if transparent { vec![0; pixel.len()] } else { pixel.to_vec() }
}

/// Where a place beside a side takes its pixel from.
fn beside(place: i64, side: u32, ground: Ground) -> u32 {
    let side = i64::from(side);
    let from = match ground {
        Ground::Background | Ground::Copy => place.clamp(0, side - 1),
        Ground::Repeat => place.rem_euclid(side),
        Ground::Mirror => {
            let twice = place.rem_euclid(2 * side);
            if twice < side { twice } else { 2 * side - 1 - twice }
        }
    };
    from as u32
}

/// The brightness of a colour by the weights of Rec. 709, without regard to gamma: what a background becomes in a grey picture.
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    (0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue)) as u8
}

/// Values of sRGB as the light that they are, and back.
struct Light {
    of_value: [f32; 256],
    values: Vec<u8>,
}

impl Light {
    /// Finer than the darkest step between two values.
    const STEPS: usize = 16_384;

    fn new() -> Light {
        let mut of_value = [0.0; 256];
        for (value, light) in of_value.iter_mut().enumerate() {
            let part = value as f32 / 255.0;
            *light = if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
        }
        let value = |step: usize| {
            let light = step as f32 / (Light::STEPS - 1) as f32;
            let part = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            (part * 255.0).round().clamp(0.0, 255.0) as u8
        };
        Light { of_value, values: (0..Light::STEPS).map(value).collect() }
    }

    /// The brightness of a colour, as a shade of grey.
    fn luma(&self, red: u8, green: u8, blue: u8) -> u8 {
        if red == green && green == blue {
            return red;
        }
        let light = |value: u8| self.of_value[usize::from(value)];
        let sum = 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
        self.values[((sum * (Light::STEPS - 1) as f32).round() as usize).min(Light::STEPS - 1)]
    }
}

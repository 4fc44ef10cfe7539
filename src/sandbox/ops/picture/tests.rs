//! What sharp 0.35.5 answered to the same requests, and what hostile files come to.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, Halt, call};

/// Jpeg progressive 4:4:4, written by sharp.
const JPEG_PROGRESSIVE_444: &str = "/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wgARCAAGAAgDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQBAQAAAAAAAAAAAAAAAAAAAAX/2gAMAwEAAhADEAAAAQO//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABBQJ//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPwF//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPwF//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQAGPwJ//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPyF//9oADAMBAAIAAwAAABCf/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPxB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxB//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxB//9k=";
/// Grey jpeg, written by sharp.
const GREY_JPEG: &str = "/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/wAALCAAGAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z";
/// Jpeg lying on its side, written by sharp.
const JPEG_LYING_ON_ITS_SIDE: &str = "/9j/4QC8RXhpZgAASUkqAAgAAAAGABIBAwABAAAABgAAABoBBQABAAAAVgAAABsBBQABAAAAXgAAACgBAwABAAAAAgAAABMCAwABAAAAAQAAAGmHBAABAAAAZgAAAAAAAAA4YwAA6AMAADhjAADoAwAABgAAkAcABAAAADAyMTABkQcABAAAAAECAwAAoAcABAAAADAxMDABoAMAAQAAAP//AAACoAQAAQAAAAgAAAADoAQAAQAAAAYAAAAAAAAA/+IB8ElDQ19QUk9GSUxFAAEBAAAB4GxjbXMEIAAAbW50clJHQiBYWVogB+IAAwAUAAkADgAdYWNzcE1TRlQAAAAAc2F3c2N0cmwAAAAAAAAAAAAAAAAAAPbWAAEAAAAA0y1oYW5keem/Vlo+AbaDI4VVRvdPqgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKZGVzYwAAAPwAAAAkY3BydAAAASAAAAAid3RwdAAAAUQAAAAUY2hhZAAAAVgAAAAsclhZWgAAAYQAAAAUZ1hZWgAAAZgAAAAUYlhZWgAAAawAAAAUclRSQwAAAcAAAAAgZ1RSQwAAAcAAAAAgYlRSQwAAAcAAAAAgbWx1YwAAAAAAAAABAAAADGVuVVMAAAAIAAAAHABzAFIARwBCbWx1YwAAAAAAAAABAAAADGVuVVMAAAAGAAAAHABDAEMAMAAAWFlaIAAAAAAAAPbWAAEAAAAA0y1zZjMyAAAAAAABDD8AAAXd///zJgAAB5AAAP2S///7of///aIAAAPcAADAcVhZWiAAAAAAAABvoAAAOPIAAAOPWFlaIAAAAAAAAGKWAAC3iQAAGNpYWVogAAAAAAAAJKAAAA+FAAC2xHBhcmEAAAAAAAMAAAACZmkAAPKnAAANWQAAE9AAAApb/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAsICMmJykqKRkfLTAtKDAlKCko/9sAQwEHBwcKCAoTCgoTKBoWGigoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo/8AAEQgABgAIAwEiAAIRAQMRAf/EABUAAQEAAAAAAAAAAAAAAAAAAAAD/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABQBAQAAAAAAAAAAAAAAAAAAAAb/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCQAefP/9k=";
/// Cmyk jpeg, written by sharp.
const CMYK_JPEG: &str = "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAsICMmJykqKRkfLTAtKDAlKCko/8AAFAgABgAIBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAgGB//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8AVKUG9tL/2Q==";
/// Interlaced png with a palette, written by sharp.
const INTERLACED_PNG_WITH_A_PALETTE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGBAMAAAF7LPJeAAAAMFBMVEUILVJSd53kCC0wVXrC5wtjiK2nzPGYvuMbQGaFqs/0GD15nsNBZozT+Bxwlbq12v9WLMNmAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAALUlEQVQImWNgYHBgUGdQZ/BmWJvJ8NCAIaaLQZiJYZOIWSdD7Pl2PgYRs86lAITcCLpr1KF5AAAAAElFTkSuQmCC";
/// Png of sixteen bits, written by sharp.
const PNG_OF_SIXTEEN_BITS: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGEAIAAAAh95TvAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAFUlEQVQYlWM4wZDCYMRAPMkwEjUAAAtQQaF/UCOhAAAAAElFTkSuQmCC";
/// Grey png with opacity, written by sharp.
const GREY_PNG_WITH_OPACITY: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAQAAABUDBdwAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAD0lEQVQImWNoQAMMtBAAAJDtMAF9hcjeAAAAAElFTkSuQmCC";
/// Webp with opacity, written by sharp.
const WEBP_WITH_OPACITY: &str = "UklGRmQAAABXRUJQVlA4WAoAAAAQAAAABwAABQAAQUxQSA8AAAABB1DAiAgABOF/20RE/0MAVlA4IC4AAADwAQCdASoIAAYAAUAmJaACdLoB+AAEyAAA/q4X/zYEDND6YP/SbPE2eJs+OYAA";
/// Animated gif, written by sharp.
const ANIMATED_GIF: &str = "R0lGODlhCAAGAIAAAExpcchkMiH/C05FVFNDQVBFMi4wAwEBAAAh+QQFCgAAACwAAAAACAAGAAACBoyPqct9BQAh+QQFFAAAACwAAAAACAAGAIBMaXE3m80CBoyPqct9BQAh+QQFHgAAACwAAAAACAAGAAACBoyPqct9BQA7";
/// Animated webp, written by sharp.
const ANIMATED_WEBP: &str = "UklGRr4AAABXRUJQVlA4WAoAAAACAAAABwAABQAAQU5JTQYAAAD/////AABBTk1GRgAAAAAAAAAAAAcAAAUAAGQAAAJWUDggLgAAAPABAJ0BKggABgABQCYloAJ0ugH4AATIAAD+rhf/NgQM0Ppg/9Js8TZ4mz45gABBTk1GRAAAAAAAAAAAAAcAAAUAAMgAAABWUDggLAAAANQBAJ0BKggABgAAACYloAJ0ugH4AAOwAJv/zNDPJR5cP/TSPGkeNI+U0AAA";

const MEMORY: u64 = 64 << 20;

fn ask(request: &Value, parts: &[&[u8]]) -> Answer {
    ask_within(MEMORY, request, parts)
}

fn ask_within(bytes_max: u64, request: &Value, parts: &[&[u8]]) -> Answer {
    let mut request = request.clone();
    request["parts"] = parts.iter().map(|part| part.len()).collect();
    call(&request.to_string(), &parts.concat(), &Halt::new(Arc::new(AtomicBool::new(false)), bytes_max))
}

fn file() -> Value {
    json!({ "kind": "file", "pixelsMax": 268_402_689, "mustBeWhole": true })
}

/// Pixels that differ everywhere.
fn raw(width: u32, height: u32, channels: u32) -> (Value, Vec<u8>) {
    let data = (0..width * height * channels).map(|at| (at * 37 % 256) as u8).collect();
    (json!({ "kind": "raw", "width": width, "height": height, "channels": channels, "pixelsMax": 0, "mustBeWhole": true }), data)
}

/// The raw pixels that steps make of an input: width, height, channels, bytes.
fn pixels(input: &Value, steps: &Value, parts: &[&[u8]]) -> Result<(u64, u64, u64, Vec<u8>), String> {
    let mut steps = steps.clone();
    steps["isRawOutput"] = json!(true);
    let request = json!({ "want": "picture", "input": input, "steps": steps, "output": { "format": "raw" } });
    let (info, data) = ask(&request, parts).map_err(|error| error.message)?;
    let info: Value = serde_json::from_str(&info).expect("JSON");
    let number = |name: &str| info[name].as_u64().expect("a number");
    Ok((number("width"), number("height"), number("channels"), data))
}

#[test]
fn metadata_is_that_of_sharp() {
    for (data, expected) in [
        (
            JPEG_PROGRESSIVE_444,
            r#"{"format":"jpeg","mediaType":"image/jpeg","size":500,"width":8,"height":6,"space":"srgb","channels":3,"depth":"uchar","density":72,"chromaSubsampling":"4:4:4","isProgressive":true,"isPalette":false,"hasProfile":false,"hasAlpha":false,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            GREY_JPEG,
            r#"{"format":"jpeg","mediaType":"image/jpeg","size":141,"width":8,"height":6,"space":"b-w","channels":1,"depth":"uchar","density":72,"chromaSubsampling":"4:4:4","isProgressive":false,"isPalette":false,"hasProfile":false,"hasAlpha":false,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            JPEG_LYING_ON_ITS_SIDE,
            r#"{"format":"jpeg","mediaType":"image/jpeg","size":956,"width":8,"height":6,"space":"srgb","channels":3,"depth":"uchar","chromaSubsampling":"4:2:0","isProgressive":false,"isPalette":false,"resolutionUnit":"inch","hasProfile":true,"hasAlpha":false,"orientation":6,"autoOrient":{"width":6,"height":8},"blobs":{"exif":186,"icc":480}}"#,
        ),
        (
            CMYK_JPEG,
            r#"{"format":"jpeg","mediaType":"image/jpeg","size":178,"width":8,"height":6,"space":"cmyk","channels":4,"depth":"uchar","density":72,"chromaSubsampling":"4:4:4:4","isProgressive":false,"isPalette":false,"hasProfile":false,"hasAlpha":false,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            INTERLACED_PNG_WITH_A_PALETTE,
            r#"{"format":"png","mediaType":"image/png","size":183,"width":8,"height":6,"space":"srgb","channels":3,"depth":"uchar","isProgressive":true,"isPalette":true,"bitsPerSample":4,"hasProfile":false,"hasAlpha":false,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            PNG_OF_SIXTEEN_BITS,
            r#"{"format":"png","mediaType":"image/png","size":99,"width":8,"height":6,"space":"rgb16","channels":3,"depth":"ushort","isProgressive":false,"isPalette":false,"bitsPerSample":16,"hasProfile":false,"hasAlpha":false,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            GREY_PNG_WITH_OPACITY,
            r#"{"format":"png","mediaType":"image/png","size":93,"width":8,"height":6,"space":"b-w","channels":2,"depth":"uchar","isProgressive":false,"isPalette":false,"bitsPerSample":8,"hasProfile":false,"hasAlpha":true,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            WEBP_WITH_OPACITY,
            r#"{"format":"webp","mediaType":"image/webp","size":108,"width":8,"height":6,"space":"srgb","channels":4,"depth":"uchar","isProgressive":false,"isPalette":false,"hasProfile":false,"hasAlpha":true,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            ANIMATED_GIF,
            r#"{"format":"gif","mediaType":"image/gif","size":126,"width":8,"height":6,"space":"srgb","channels":4,"depth":"uchar","isProgressive":false,"isPalette":true,"bitsPerSample":1,"pages":3,"loop":2,"delay":[100,200,300],"hasProfile":false,"hasAlpha":true,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
        (
            ANIMATED_WEBP,
            r#"{"format":"webp","mediaType":"image/webp","size":198,"width":8,"height":6,"space":"srgb","channels":3,"depth":"uchar","isProgressive":false,"isPalette":false,"pages":2,"loop":0,"delay":[100,200],"hasProfile":false,"hasAlpha":false,"autoOrient":{"width":8,"height":6},"blobs":{}}"#,
        ),
    ] {
        let data = BASE64_STANDARD.decode(data).expect("base64");
        let (told, _) = ask(&json!({ "want": "metadata", "input": file() }), &[&data]).expect(expected);
        let (told, expected): (Value, Value) = (serde_json::from_str(&told).expect("JSON"), serde_json::from_str(expected).expect("JSON"));
        assert_eq!(told, expected);
    }
}

/// The raw input's width, height and channels, the steps, and the same of the answer with its pixels.
type Row = ((u32, u32, u32), Value, (u64, u64, u64), Vec<u8>);

#[test]
fn steps_make_the_pixels_of_sharp() {
    let black = [0, 0, 0, 255];
    let two = |colours: [u8; 6]| {
        let request = json!({
            "want": "picture",
            "input": { "kind": "raw", "width": 2, "height": 1, "channels": 3, "pixelsMax": 0, "mustBeWhole": true },
            "output": { "format": "png" }
        });
        ask(&request, &[&colours]).expect("a file").1
    };
    let tile = two([255, 0, 0, 0, 255, 0]);
    let over = json!({ "input": file(), "blend": "over", "tile": true, "offset": null, "gravity": 0 });
    #[rustfmt::skip]
    let rows: Vec<Row> = vec![
        ((3, 1, 3), json!({"greyscale": true}), (3, 1, 1), vec![37, 145, 110]),
        ((2, 1, 4), json!({"flatten": [255, 128, 0, 255]}), (2, 1, 3), vec![144, 88, 32, 253, 128, 2]),
        ((2, 1, 4), json!({"negate": true, "negateAlpha": true}), (2, 1, 4), vec![255, 218, 181, 144, 107, 70, 33, 252]),
        ((2, 1, 4), json!({"negate": true, "negateAlpha": false}), (2, 1, 4), vec![255, 218, 181, 111, 107, 70, 33, 3]),
        ((4, 1, 3), json!({"threshold": 100, "thresholdGreyscale": true}), (4, 1, 3), vec![0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255]),
        ((4, 1, 3), json!({"threshold": 100}), (4, 1, 3), vec![0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 255]),
        ((3, 1, 3), json!({"linear": [[0.5], [10.0]]}), (3, 1, 3), vec![10, 28, 47, 65, 84, 102, 121, 11, 30]),
        ((1, 1, 3), json!({"extend": {"top": 1, "left": 2, "right": 0, "bottom": 0, "with": "background", "background": [9, 8, 7, 128]}}), (3, 2, 4), vec![9, 8, 7, 128, 9, 8, 7, 128, 9, 8, 7, 128, 9, 8, 7, 128, 9, 8, 7, 128, 0, 37, 74, 255]),
        ((2, 1, 3), json!({"extend": {"top": 0, "left": 0, "right": 3, "bottom": 0, "with": "mirror", "background": black}}), (5, 1, 3), vec![0, 37, 74, 111, 148, 185, 111, 148, 185, 0, 37, 74, 0, 37, 74]),
        ((2, 1, 3), json!({"extend": {"top": 0, "left": 3, "right": 0, "bottom": 0, "with": "repeat", "background": black}}), (5, 1, 3), vec![111, 148, 185, 0, 37, 74, 111, 148, 185, 0, 37, 74, 111, 148, 185]),
        ((1, 1, 3), json!({"ensureAlpha": 0.5}), (1, 1, 4), vec![0, 37, 74, 127]),
        ((1, 1, 4), json!({"removeAlpha": true}), (1, 1, 3), vec![0, 37, 74]),
        ((1, 1, 4), json!({"extractChannel": 3}), (1, 1, 1), vec![111]),
        ((2, 1, 1), json!({}), (2, 1, 3), vec![0, 0, 0, 37, 37, 37]),
        ((2, 1, 2), json!({}), (2, 1, 4), vec![0, 0, 0, 37, 74, 74, 74, 111]),
        ((2, 1, 2), json!({"greyscale": true}), (2, 1, 1), vec![0, 74]),
        ((4, 1, 3), json!({"blurSigma": -1.0}), (4, 1, 3), vec![37, 74, 111, 111, 62, 99, 136, 88, 125, 125, 77, 114]),
        ((5, 1, 1), json!({"blurSigma": 1.0, "blurLeast": 0.2}), (5, 1, 3), vec![10, 10, 10, 37, 37, 37, 74, 74, 74, 111, 111, 111, 138, 138, 138]),
        ((5, 1, 1), json!({"resize": {"width": 2, "height": 1, "position": 4}}), (2, 1, 3), vec![0, 0, 0, 37, 37, 37]),
        ((5, 2, 1), json!({"resize": {"width": 2, "height": 2}}), (2, 2, 3), vec![74, 74, 74, 111, 111, 111, 3, 3, 3, 40, 40, 40]),
        ((5, 2, 1), json!({"resize": {"width": 2, "height": 2, "position": 2}}), (2, 2, 3), vec![111, 111, 111, 148, 148, 148, 40, 40, 40, 77, 77, 77]),
        ((2, 1, 3), json!({"resize": {"width": 2, "height": 3, "fit": "contain"}, "resizeBackground": black}), (2, 3, 3), vec![0, 0, 0, 0, 0, 0, 0, 37, 74, 111, 148, 185, 0, 0, 0, 0, 0, 0]),
        ((1, 1, 3), json!({"resize": {"width": 4, "height": 1, "fit": "contain"}, "resizeBackground": [1, 2, 3, 0]}), (4, 1, 4), vec![1, 2, 3, 0, 0, 37, 74, 255, 1, 2, 3, 0, 1, 2, 3, 0]),
        ((8, 1, 1), json!({"resize": {"width": 4, "height": 1, "fit": "fill"}}), (4, 1, 3), vec![18, 18, 18, 88, 88, 88, 187, 187, 187, 113, 113, 113]),
        ((4, 1, 1), json!({"resize": {"width": 2, "height": 1, "fit": "fill"}, "kernel": "nearest"}), (2, 1, 3), vec![37, 37, 37, 111, 111, 111]),
        ((5, 1, 3), json!({"composite": [over]}), (5, 1, 4), vec![0, 255, 0, 255, 255, 0, 0, 255, 0, 255, 0, 255, 255, 0, 0, 255, 0, 255, 0, 255]),
    ];
    for ((width, height, channels), steps, expected, bytes) in rows {
        let (input, data) = raw(width, height, channels);
        let (w, h, c, found) = pixels(&input, &steps, &[&data, &tile]).unwrap_or_else(|error| panic!("{steps}: {error}"));
        assert_eq!((w, h, c), expected, "{steps}");
        // Weighted means may be rounded either way.
        let near = found.len() == bytes.len() && found.iter().zip(&bytes).all(|(found, wanted)| found.abs_diff(*wanted) <= 2);
        assert!(near, "{steps}: {found:?} instead of {bytes:?}");
    }
}

#[test]
fn blends_are_those_of_sharp() {
    for (blend, expected) in [
        ("over", [88, 44, 164, 229]),
        ("multiply", [88, 44, 59, 229]),
        ("screen", [159, 79, 116, 229]),
        ("dest-over", [177, 88, 72, 229]),
        ("in", [0, 0, 255, 102]),
        ("xor", [159, 79, 91, 127]),
        ("add", [160, 80, 168, 255]),
        ("darken", [88, 44, 68, 229]),
        ("overlay", [117, 44, 68, 229]),
        ("soft-light", [133, 55, 68, 229]),
        ("colour-dodge", [159, 79, 86, 229]),
        ("difference", [159, 79, 89, 229]),
        ("saturate", [160, 80, 65, 255]),
        ("dest-in", [200, 100, 50, 102]),
        ("source", [0, 0, 255, 128]),
        ("clear", [0, 0, 0, 0]),
        ("atop", [99, 49, 184, 204]),
        ("dest-out", [199, 99, 49, 101]),
    ] {
        let one = |background: [u8; 4]| json!({ "kind": "create", "width": 1, "height": 1, "channels": 4, "background": background, "pixelsMax": 0, "mustBeWhole": true });
        let over = json!({ "input": one([0, 0, 255, 128]), "blend": blend, "tile": false, "offset": [1, 0], "gravity": 0 });
        let mut ground = one([200, 100, 50, 204]);
        ground["width"] = json!(3);
        let (_, _, _, found) = pixels(&ground, &json!({ "composite": [over] }), &[]).expect(blend);
        let near = found[4..8].iter().zip(expected).all(|(found, wanted)| found.abs_diff(wanted) <= 2);
        assert!(near, "{blend}: {:?} instead of {expected:?}", &found[4..8]);
    }
}

#[test]
fn every_orientation_is_brought_upright() {
    // One row of red and blue; where the red is then, and where the blue.
    for (orientation, (width, height), expected) in [
        (1, (2, 1), [1, 2]),
        (2, (2, 1), [2, 1]),
        (3, (2, 1), [2, 1]),
        (4, (2, 1), [1, 2]),
        (5, (1, 2), [1, 2]),
        (6, (1, 2), [1, 2]),
        (7, (1, 2), [2, 1]),
        (8, (1, 2), [2, 1]),
    ] {
        let about = super::header::Exif { orientation: Some(orientation), ..Default::default() };
        let size = super::geometry::Size { width: 2, height: 1 };
        let taken = super::source::Taken { pixels: super::pixels::Pixels { size, channels: 1, data: vec![1, 2] }, format: "jpeg", about };
        let steps: super::steps::Steps = serde_json::from_value(json!({ "autoOrient": true, "greyOutput": true })).expect("steps");
        let halt = Halt::new(Arc::default(), MEMORY);
        let done = steps.run(taken, &mut super::source::Parts::new(&[], &[]), &halt).expect("it can be turned").pixels;
        assert_eq!(((done.size.width, done.size.height), &done.data[..]), ((width, height), &expected[..]), "{orientation}");
    }
}

#[test]
fn turning_and_resizing_come_in_the_order_of_sharp() {
    let (input, data) = raw(100, 60, 3);
    let area = |left: u32, top: u32, width: u32, height: u32| json!({ "left": left, "top": top, "width": width, "height": height });
    for (steps, expected) in [
        (json!({"quarters": 1, "rotateBefore": true, "resize": {"width": 20, "height": 10}}), (20, 10)),
        (json!({"quarters": 1, "resize": {"width": 20, "height": 10}}), (12, 10)),
        (json!({"quarters": 1, "resize": {"width": 20}}), (12, 20)),
        (json!({"quarters": 1, "resize": {"width": 20, "height": 10, "fit": "contain"}}), (20, 17)),
        (json!({"quarters": 1, "rotateBefore": true, "resize": {"width": 20}}), (20, 33)),
        (json!({"degrees": 45.0, "rotateBefore": true, "resize": {"width": 20, "height": 10}}), (20, 10)),
        (json!({"degrees": 45.0, "resize": {"width": 20, "height": 10}}), (21, 21)),
        (json!({"quarters": 1, "extractPre": area(10, 0, 20, 40)}), (40, 20)),
        (json!({"quarters": 1, "rotateBefore": true, "extractPre": area(0, 10, 20, 40)}), (20, 40)),
        (json!({"resize": {"width": 50}, "extractPost": area(1, 2, 3, 4)}), (3, 4)),
        (json!({"quarters": 1, "resize": {"width": 20, "height": 10, "fit": "inside"}}), (10, 17)),
    ] {
        let (width, height, ..) = pixels(&input, &steps, &[&data]).unwrap_or_else(|error| panic!("{steps}: {error}"));
        assert_eq!((width, height), expected, "{steps}");
    }
}

#[test]
fn borders_are_cut_off() {
    let red = json!({ "kind": "create", "width": 6, "height": 5, "channels": 3, "background": [255, 0, 0, 255], "pixelsMax": 0, "mustBeWhole": true });
    let white =
        json!({ "extend": { "top": 4, "left": 3, "bottom": 2, "right": 1, "background": [255, 255, 255, 255], "with": "background" } });
    let (.., framed) = pixels(&red, &white, &[]).expect("a picture");
    let input = json!({ "kind": "raw", "width": 10, "height": 11, "channels": 3, "pixelsMax": 0, "mustBeWhole": true });
    for (margin, expected) in [(0, (6, 5, -3, -4)), (2, (9, 9, -1, -2))] {
        let trim = json!({ "background": null, "threshold": 10.0, "lineArt": false, "margin": margin });
        let request = json!({ "want": "picture", "input": input, "steps": { "trim": trim }, "output": { "format": "png" } });
        let (info, _) = ask(&request, &[&framed]).expect("a picture");
        let info: Value = serde_json::from_str(&info).expect("JSON");
        let found = ["width", "height", "trimOffsetLeft", "trimOffsetTop"].map(|name| info[name].as_i64().expect("a number"));
        assert_eq!((found[0], found[1], found[2], found[3]), expected);
    }
}

#[test]
fn each_format_is_read_again_as_it_was_written() {
    let (input, data) = raw(40, 30, 4);
    for (format, channels, tolerance) in [("png", 4, 0), ("webp", 4, 0), ("jpeg", 3, 255), ("gif", 4, 255)] {
        let request =
            json!({ "want": "picture", "input": input, "output": { "format": format, "webp": { "lossless": true, "exact": true } } });
        let (info, written) = ask(&request, &[&data]).expect(format);
        let info: Value = serde_json::from_str(&info).expect("JSON");
        assert_eq!(
            (info["format"].as_str(), info["channels"].as_u64(), info["size"].as_u64()),
            (Some(format), Some(channels), Some(written.len() as u64))
        );
        let (width, height, again, found) = pixels(&file(), &json!({}), &[&written]).expect(format);
        assert_eq!((width, height, again), (40, 30, channels), "{format}");
        if channels == 4 {
            let far = found.iter().zip(&data).map(|(found, wanted)| found.abs_diff(*wanted)).max();
            assert!(far <= Some(tolerance), "{format}: {far:?}");
        }
    }
}

#[test]
fn a_lower_quality_makes_fewer_bytes() {
    let (input, data) = raw(64, 64, 3);
    for format in ["jpeg", "webp"] {
        let bytes = |quality: u32| {
            let request = json!({ "want": "picture", "input": input, "output": { "format": format, format: { "quality": quality } } });
            ask(&request, &[&data]).expect(format).1.len()
        };
        assert!(bytes(20) < bytes(80) && bytes(80) < bytes(100), "{format}");
    }
}

#[test]
fn what_cannot_be_done_says_why() {
    let (two, four) = (raw(2, 2, 3), raw(2, 2, 4));
    let picture = |input: &Value, steps: Value, format: &str| json!({ "want": "picture", "input": input, "steps": steps, "output": { "format": format } });
    let wide = raw(20_000, 1, 3);
    let small = json!({ "kind": "file", "pixelsMax": 10, "mustBeWhole": true });
    let png = BASE64_STANDARD.decode(GREY_PNG_WITH_OPACITY).expect("base64");
    let big = json!({ "input": two.0, "blend": "over", "tile": false, "offset": null, "gravity": 0 });
    let rows: Vec<(Value, Vec<&[u8]>, &str)> = vec![
        (picture(&file(), json!({}), "png"), vec![b"hello world, no picture"], "Input buffer contains unsupported image format"),
        (picture(&small, json!({}), "png"), vec![&png], "Input image exceeds pixel limit"),
        (
            picture(&two.0, json!({"linear": [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]}), "raw"),
            vec![&two.1],
            "Band expansion using linear is unsupported",
        ),
        (picture(&two.0, json!({}), "raw"), vec![&[1, 2]], "VipsImage: memory area too small -- should be 12 bytes, you passed 2"),
        (picture(&wide.0, json!({}), "webp"), vec![&wide.1], "Processed image is too large for the WebP format"),
        (picture(&two.0, json!({"extractChannel": 3}), "png"), vec![&two.1], "Cannot extract channel 3 from image with channels 0-2"),
        (
            picture(&four.0, json!({"extractPre": {"left": 1, "top": 0, "width": 2, "height": 1}}), "png"),
            vec![&four.1],
            "extract_area: bad extract area",
        ),
        (
            picture(&two.0, json!({"composite": [big], "resize": {"width": 1}}), "png"),
            vec![&two.1, &two.1],
            "Image to composite must have same dimensions or smaller",
        ),
        (
            picture(&file(), json!({}), "png"),
            vec![b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
            "sharp: SVG input is not available inside the sandbox",
        ),
        (picture(&file(), json!({}), "png"), vec![b"\0\0\0\x1cftypavif\0\0\0\0"], "sharp: AVIF input is not available inside the sandbox"),
        (picture(&two.0, json!({}), "bmp"), vec![&two.1], "Unsupported output format bmp"),
    ];
    for (request, parts, expected) in rows {
        let error = ask(&request, &parts).expect_err(expected);
        assert!(error.message.starts_with(expected), "{} instead of {expected}", error.message);
    }
}

/// A PNG's or GIF's first bytes with another size in them.
fn claiming(width: u32, height: u32) -> [Vec<u8>; 2] {
    let png = BASE64_STANDARD.decode(GREY_PNG_WITH_OPACITY).expect("base64");
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend(&png[24..29]);
    let mut flate = flate2::Crc::new();
    flate.update(&header);
    let checked = [&png[..12], &header, &flate.sum().to_be_bytes(), &png[33..]].concat();
    let mut gif = BASE64_STANDARD.decode(ANIMATED_GIF).expect("base64");
    gif[6..8].copy_from_slice(&(width as u16).to_le_bytes());
    gif[8..10].copy_from_slice(&(height as u16).to_le_bytes());
    [checked, gif]
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    for bomb in claiming(60_000, 60_000) {
        let error = ask(&json!({ "want": "picture", "input": file(), "output": { "format": "png" } }), &[&bomb]).expect_err("too large");
        assert_eq!(error.message, "Input image exceeds pixel limit");
        let mut unlimited = file();
        unlimited["pixelsMax"] = json!(0);
        let error = ask(&json!({ "want": "picture", "input": unlimited, "output": { "format": "png" } }), &[&bomb]).expect_err("too large");
        assert!(error.message.contains("the function may use 64 MiB"), "{}", error.message);
    }
    // What is asked for may be too much as well.
    let one = json!({ "kind": "create", "width": 1, "height": 1, "channels": 3, "background": [0, 0, 0, 255], "pixelsMax": 0, "mustBeWhole": true });
    let vast = json!({ "kind": "create", "width": 100_000_000, "height": 100_000_000, "channels": 4, "background": [0, 0, 0, 255], "pixelsMax": 0, "mustBeWhole": true });
    for (input, steps) in [
        (&vast, json!({})),
        (&one, json!({ "resize": { "width": 100_000_000, "height": 100_000_000, "fit": "fill" } })),
        (&one, json!({ "resize": { "width": 100_000_000, "fit": "contain", "height": 1 } })),
        (
            &one,
            json!({ "extend": { "top": 100_000_000, "left": 0, "bottom": 0, "right": 100_000_000, "background": [0, 0, 0, 255], "with": "background" } }),
        ),
        (
            &one,
            json!({ "extend": { "top": 100_000_000, "left": 0, "bottom": 0, "right": 0, "background": [0, 0, 0, 255], "with": "repeat" } }),
        ),
    ] {
        let error = pixels(input, &steps, &[]).expect_err("too large");
        assert!(error.contains("raise its `memorySize`"), "{steps}: {error}");
    }
    for empty in claiming(0, 0) {
        let error = ask(&json!({ "want": "metadata", "input": file() }), &[&empty]).expect_err("no pixels");
        assert!(error.message.starts_with("Input buffer has corrupt header"), "{}", error.message);
    }
}

#[test]
fn work_that_nobody_waits_for_ends() {
    let (input, data) = raw(40, 40, 3);
    let request = json!({ "want": "picture", "input": input, "steps": { "resize": { "width": 20 } }, "output": { "format": "png" }, "parts": [data.len()] });
    let halt = Halt::new(Arc::new(AtomicBool::new(true)), MEMORY);
    assert_eq!(call(&request.to_string(), &data, &halt).expect_err("it was stopped").message, "the work was stopped");
}

/// Reads a file that may be anything, in every way.
fn touch(data: &[u8]) -> [bool; 2] {
    let metadata = ask(&json!({ "want": "metadata", "input": file() }), &[data]);
    let steps = json!({ "resize": { "width": 3, "height": 3 }, "autoOrient": true });
    let picture = ask(&json!({ "want": "picture", "input": file(), "steps": steps, "output": { "format": "png" } }), &[data]);
    [metadata.is_ok(), picture.is_ok()]
}

const FILES: [&str; 10] = [
    JPEG_PROGRESSIVE_444,
    GREY_JPEG,
    JPEG_LYING_ON_ITS_SIDE,
    CMYK_JPEG,
    INTERLACED_PNG_WITH_A_PALETTE,
    PNG_OF_SIXTEEN_BITS,
    GREY_PNG_WITH_OPACITY,
    WEBP_WITH_OPACITY,
    ANIMATED_GIF,
    ANIMATED_WEBP,
];

#[test]
fn a_file_that_was_cut_off_is_an_error() {
    for whole in FILES {
        let whole = BASE64_STANDARD.decode(whole).expect("base64");
        assert_eq!(touch(&whole), [true, true]);
        for length in 0..whole.len() / 2 {
            assert!(!touch(&whole[..length])[1], "{length} of {}: {:?}", whole.len(), &whole[..12]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damaged_files_neither_panic_nor_hang(which in 0..FILES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut data = BASE64_STANDARD.decode(FILES[which]).expect("base64");
        for (place, value) in changes {
            let at = place.index(data.len());
            data[at] = value;
        }
        touch(&data);
    }
}

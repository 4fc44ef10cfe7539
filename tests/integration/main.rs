//! One integration crate: every module drives emu as a user does, through the program and its ports.

mod clients;
mod clock;
mod command;
mod component;
mod cost;
mod crash;
mod dashboard;
mod doctor;
mod emu;
mod exec;
mod firebase;
mod firebase_admin;
mod firestore;
mod functions;
mod init;
mod layers;
mod limits;
mod packages;
mod records;
mod reload;
mod resources;
mod sdk;
mod social;
mod state;
mod sums;
mod workflow;

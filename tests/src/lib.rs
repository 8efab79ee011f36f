//! Starts the real server for end-to-end tests.

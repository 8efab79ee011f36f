package com.example.reports

/** The app of the tests: its server is the one that a test starts. */
class SignedIn : Account() {
    public override var server: String = ""
    public override var token: String = ""
}

"""Tests of the misbehaving server: its listeners, and the control channel."""

import socket
import ssl

from server_case import SECONDS, TEXT, Case


class Listeners(Case):
    def test_ws6(self):
        if not self.server.ports["ws6"]:
            self.skipTest("no IPv6")
        client = self.client("ws6", "::1").open("/echo?id=six&act=text:a")
        self.assertEqual(client.frame(), (TEXT, b"a"))
        self.server.wait("six", "^accept ws6$")

    def test_tls_versions(self):
        for listener, most, version in (
            ("wss", None, "TLSv1.3"), ("wss", ssl.TLSVersion.TLSv1_2, "TLSv1.2"), ("wss12", None, "TLSv1.2"),
        ):
            client = self.client(listener).secure(most=most).open("/echo?id=%s" % version)
            self.assertEqual(client.sock.version(), version)
            self.assertEqual(client.send(1, b"x" * 100000).frame(), (TEXT, b"x" * 100000))
            self.server.wait(version, "^tls %s localhost$" % version)
            self.server.wait(version, "^cipher %s$" % client.sock.cipher()[0])

    def test_no_server_name(self):
        self.client("wss").secure("127.0.0.1").open("/echo?id=noname")
        self.server.wait("noname", r"^tls TLSv1\.3 -$")

    def test_wrong_certificates(self):
        for listener, text in (
            ("wss_expired", "expired"), ("wss_notyet", "not yet valid"), ("wss_wrong_host", "Hostname mismatch"),
            ("wss_unknown", "unable to get local issuer"),
        ):
            with self.subTest(listener):
                with self.assertRaisesRegex(ssl.SSLCertVerificationError, text):
                    self.client(listener).secure("good.test")
                self.server.wait(listener, "^tlsalert .")
                client = self.client(listener).secure(check=False).open("/echo?id=any" + listener)
                self.assertEqual(client.send(1, b"a").frame(), (TEXT, b"a"))

    def test_names_of_the_certificate(self):
        for name in ("localhost", "127.0.0.1", "::1", "good.test", "echo.test"):
            self.client("wss").secure(name).open("/echo")
        self.client("wss_wrong_host").secure("other.test").open("/echo")

    def test_no_tls(self):
        stall = self.client("tls_stall")
        stall.sock.sendall(b"hello")
        self.server.wait("tls_stall", "^accept")
        stall.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(stall.rest(), (b"", "fin"))
        garbage = self.client("tls_garbage")
        with self.assertRaises(ssl.SSLError):
            garbage.secure()

    def test_silent(self):
        client = self.client("silent").request("/echo")
        self.server.wait("silent", "^accept silent$")
        self.assertEqual(self.server.command("live silent"), "ok 1")
        client.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(client.rest(), (b"", "fin"))
        self.server.wait("silent", "^end$")

    def test_refuse_drop_reset(self):
        with self.assertRaises(ConnectionRefusedError):
            self.client("refuse")
        dropped = self.client("drop")
        dropped.sock.sendall(b"x" * 1000)
        self.assertEqual(dropped.rest(), (b"", "fin"))
        reset = self.client("reset")
        reset.sock.sendall(b"x")
        self.assertEqual(reset.rest(), (b"", "reset"))


class ControlChannel(Case):
    def test_numbers(self):
        before = int(self.server.command("accepted")[3:])
        client = self.open()
        self.assertEqual(self.server.command("accepted"), "ok %d" % (before + 1))
        self.assertEqual(self.server.command("live " + self.name), "ok 1")
        self.assertGreaterEqual(int(self.server.command("live")[3:]), 1)
        client.close()
        self.wait("^end$")
        self.assertEqual(self.server.command("live " + self.name), "ok 0")
        self.assertEqual(self.server.command("forget " + self.name), "ok")
        self.assertEqual(self.log(), [])
        self.assertEqual(self.server.command("log nobody"), [])

    def test_waits_do_not_wait_for_each_other(self):
        other = self.server.new_control()
        other[1].write("wait %s 2 %d ^text . b$\nclock\n" % (self.name, SECONDS * 1000))
        other[1].flush()
        self.assertEqual(self.server.command("clock"), "ok")
        client = self.open(path="/sink")
        for text in (b"b", b"a", b"b"):
            client.send(1, text)
        self.assertEqual([other[1].readline(), other[1].readline()], ["ok text 1 b\n", "ok\n"])
        self.assertEqual(self.server.command("wait %s 3 1 ^text . b$" % self.name), "error timeout")
        # No regular expression: taken literally.
        client.send(1, b"(*")
        self.wait("text 2 (*")
        other[1].close()
        other[0].close()

    def test_errors(self):
        for command in ("nonsense", "do nobody text:a", "wait x", "", "do"):
            self.assertTrue(self.server.command(command).startswith("error "), command)
        self.open("")
        self.assertTrue(self.server.command("do %s nonsense" % self.name).startswith("error "))

    def test_names_are_shared(self):
        first, second = self.open(path="/sink"), self.open(path="/sink")
        first.send(1, b"a")
        second.send(1, b"b")
        self.wait("^text", 2)
        self.assertEqual(self.server.command("live " + self.name), "ok 2")
        self.server.command("do %s text:last" % self.name)
        self.assertEqual(second.frame(), (TEXT, b"last"))

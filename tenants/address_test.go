package tenants

import "testing"

func TestAddress(t *testing.T) {
	for dsn, want := range map[string]string{
		"root@unix(/run/mysqld/mysqld.sock)/":   "localhost:/run/mysqld/mysqld.sock",
		"root@tcp(localhost)/":                  "localhost",
		"root@tcp(localhost:3306)/":             "localhost",
		"root@tcp(db.example.org:3311)/?tls=on": "db.example.org:3311",
		"root@tcp([::1]:3311)/":                 "[::1]:3311",
		"root@tcp([::1]:3306)/":                 "[::1]",
		"root@tcp([::1])/":                      "[::1]",
		"root@tcp(::1)/":                        "[::1]",
		"a@b@tcp(127.0.0.1:1)/":                 "127.0.0.1:1",
		"tcp(127.0.0.1:1)/":                     "127.0.0.1:1",
		"root@/":                                "",
	} {
		got, ok := (&Server{DSN: dsn}).Address(Layout{})
		if got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v, want %q", dsn, got, ok, want)
		}
	}
	managed := &Server{Name: "main", Managed: true}
	l := Layout{State: "/state"}
	if got, _ := managed.Address(l); got != "localhost:"+l.Socket("main") {
		t.Errorf("got %q", got)
	}
}

func TestEncrypted(t *testing.T) {
	for dsn, want := range map[string]bool{
		"root@tcp(h)/?tls=true":                   true,
		"root@tcp(h)/?tls=True":                   true,
		"root@tcp(h)/?tls=1":                      true,
		"root@tcp(h)/?timeout=5s&tls=skip-verify": true,
		"root@tcp(h)/?tls=skip-verify&timeout=5s": true,
		"root@tcp(h)/?tls=preferred":              false,
		"root@tcp(h)/?tls=false":                  false,
		"root@tcp(h)/?tls=":                       false,
		"root@tcp(h)/?init_connect=tls%3Dtrue":    false,
		"root@tcp(h)/?xtls=true":                  false,
		"root@tcp(h)/":                            false,
		"tls=true@tcp(h)/":                        false,
		"root@unix(/run/mysqld/mysqld.sock)/":     false,
		"":                                        false,
	} {
		if got := (&Server{DSN: dsn}).Encrypted(); got != want {
			t.Errorf("%s: got %v, want %v", dsn, got, want)
		}
	}
}

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

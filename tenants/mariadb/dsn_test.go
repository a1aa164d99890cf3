package mariadb

import (
	"testing"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants/definitions"
)

// verdict is the driver's, which panics at a parameter that it had once.
func verdict(dsn string) (accepted bool) {
	defer func() { _ = recover() }()
	_, err := mysql.ParseDSN(dsn)
	return err == nil
}

// The driver accepts each DSN that definitions accept; definitions refuse only those that no wiki
// could use.
func TestCheckDSNAgreesWithTheDriver(t *testing.T) {
	for _, dsn := range []string{
		"root@unix(/run/mysqld/mysqld.sock)/", "root@unix(/s)/mysql?timeout=1s", "tcp(db.example.org)/", "root@tcp(db:3307)/", "root@tcp([::1]:3306)/", "root@tcp([::1])/",
		"root@tcp(::1)/", "root@tcp(127.0.0.1:3306)/?tls=skip-verify&parseTime=true", "a@b@tcp(h)/", "root@tcp(h)/?tls=true&maxAllowedPacket=0", "root@tcp(h)/?loc=Europe%2FBerlin",
		"root@tcp(h)/?sql_mode=%27ANSI%27", "root@tcp(h)/?readTimeout=10s&charset=utf8mb4&foo",
	} {
		if err := definitions.CheckDSN(dsn); err != nil || !verdict(dsn) {
			t.Errorf("%q: %v; the driver takes it: %v", dsn, err, verdict(dsn))
		}
	}
	for _, dsn := range []string{
		"root@unix(/s", "root@unix(/s/", "root@unix/s)/", "root@tcp(h", "root", "root@tcp(h)", "root@tcp(h)x/", "root@tcp(h))/", "root@carrier(pigeon)/",
		"root@tcp(h)/?parseTime=maybe", "root@tcp(h)/?timeout=fast", "root@tcp(h)/?maxAllowedPacket=big", "root@tcp(h)/?loc=Nowhere", "root@tcp(h)/?tls=own",
		"root@tcp(h)/?serverPubKey=own", "root@tcp(h)/?strict=true", "root@tcp(h)/?a=%zz", "root@tcp(h)/%zz", "", "tcp(0)/?/", "unix(/@)/", "a@unix(/x@y)/", "root:a(b@tcp/", "root@tcp(h)/?loc=Europe/Berlin",
	} {
		if definitions.CheckDSN(dsn) == nil {
			t.Errorf("%q is accepted; the driver takes it: %v", dsn, verdict(dsn))
		}
	}
	for _, dsn := range []string{"root@unix(s)/", "root@tcp(h:0)/", "root@tcp(h:99999)/", "root@tcp(:3306)/", "root@tcp(a b)/", "root@tcp()/", "/"} {
		if definitions.CheckDSN(dsn) == nil {
			t.Errorf("%q is accepted, and no wiki could use it", dsn)
		}
	}
}

// Nothing that is accepted fails in the driver.
func FuzzCheckDSN(f *testing.F) {
	for _, dsn := range []string{"root@unix(/s)/", "root@tcp([::1]:3306)/x?tls=true&timeout=1s&loc=UTC", "a@tcp(h)/?sql_mode=%27x%27"} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		if definitions.CheckDSN(dsn) == nil && !verdict(dsn) {
			_, err := mysql.ParseDSN(dsn)
			t.Fatalf("%q is accepted, the driver says %v", dsn, err)
		}
	})
}

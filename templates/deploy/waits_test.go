package deploy

import (
	"strings"
	"testing"
)

func TestWaitsNginx(t *testing.T)  { testWaits(t, "nginx", "fastcgi_read_timeout 1s;") }
func TestWaitsApache(t *testing.T) { testWaits(t, "apache", "ProxyTimeout 1") }

const patientToml = "name = \"patient\"\nhosts = [\"patient.test\"]\nsitename = \"Patient\"\npool.timeout = 300\n"

// testWaits has the PHP of two wikis take longer than the web server waits by default: the one
// whose timeout is longer is answered.
func testWaits(t *testing.T, kind, waits string) {
	t.Helper()
	s := newEcho(t, kind, true, map[string]string{"tenants/patient.toml": patientToml})
	s.own = waits
	s.serve(t, kind)
	patient, done := s.held(t, "patient", "127.0.0.1")
	other, doneOther := s.held(t, "alpha", "127.0.0.1")
	if got := <-other; got != 504 {
		t.Errorf("a wiki without a timeout: %d, want 504", got)
	}
	done()
	doneOther()
	if got := <-patient; got != 200 {
		t.Errorf("a wiki with a longer timeout: %d", got)
	}
	s.logIfFailed(t)
}

// With a map the longest timeout of all wikis counts, and is no shorter than nginx's default.
func TestWaitsOfAMap(t *testing.T) {
	for timeout, want := range map[string]string{"300": "310s", "5": "60s"} {
		files := mapFarm("", "alpha")
		files["tenants/patient.toml"] = strings.Replace(patientToml, "300", timeout, 1)
		s := newEcho(t, "nginx", true, files)
		text := read(t, s.d.DefaultVhost())
		if set := strings.Count(text, "fastcgi_read_timeout "+want+";"); set == 0 || set != strings.Count(text, "fastcgi_pass") {
			t.Errorf("with a timeout of %s it waits for %s %d times:\n%s", timeout, want, set, text)
		}
	}
}

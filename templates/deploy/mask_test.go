package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"wikictl/php"
)

// What is shown of a change hides what both sides hold: the secrets that are known, and
// those that only the file on disk, or only a name, tells.
func TestDiffsShowNoSecret(t *testing.T) {
	d := deployer(t, "", "")
	old, now := wanted("a", "one"), wanted("a", "two")
	old.LocalSettings = fmt.Appendf(nil, "%s$wgPwd = 'old-pwd';\n$wgCredentials['x'] = [\n\t'old-cred',\n];\n$wgUrl = 'mysql://wiki:hidden-one@db/';\n", old.LocalSettings)
	now.LocalSettings = fmt.Appendf(nil, "%s$wgPwd = 'new-pwd';\n$wgCredentials['x'] = [\n\t'new-cred',\n\t'more-cred',\n];\n$wgUrl = 'redis://db/?hidden-two';\n$wgSitename = 'Two';\n", now.LocalSettings)
	old.Vhost, now.Vhost = []byte("# hidden-one\n"), []byte("# hidden-two b\n")
	apply(t, d, old)
	changes, err := d.Compare(t.Context(), Of(now), true)
	if err != nil || len(changes) != 2 {
		t.Fatal(changes, err)
	}
	all := changes[0].Diff + changes[1].Diff
	for _, hidden := range []string{"hidden", "-pwd", "-cred"} {
		if strings.Contains(all, hidden) {
			t.Errorf("%q shows:\n%s", hidden, all)
		}
	}
	for _, shown := range []string{"+$wgSitename = 'Two';", "+\t'[secret]',", " $wgPwd = '[secret]';"} {
		if !strings.Contains(all, shown) {
			t.Errorf("%q is missing:\n%s", shown, all)
		}
	}
}

// PHP quotes what it did not expect, which may be a password.
func TestSyntaxErrorsShowNoSecret(t *testing.T) {
	d := deployer(t, "", "")
	broken := errors.New(`LocalSettings.php:3: syntax error, unexpected single-quoted string "hidden-one"`)
	d.Lint = func(context.Context, []php.Source) error { return broken }
	_, err := d.Apply(t.Context(), Of(wanted("a", "one")))
	var partial *PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 {
		t.Fatal(err)
	}
	failed := partial.Failed[0].Err
	if strings.Contains(failed.Error(), "hidden") || !strings.Contains(failed.Error(), `unexpected single-quoted string "[secret]"`) || !errors.Is(failed, broken) {
		t.Error(failed)
	}
}

// Another run is waited for as long as it writes. What was asked to stop does not
// begin, and what is broken off ends at once.
func TestAnotherWriterIsWaitedFor(t *testing.T) {
	d := deployer(t, "", "")
	waits := make(chan string, 10)
	d.Waits = func(holder string) { waits <- holder }
	drain := make(chan struct{})
	d.Drain = drain
	other, err := New(d.layout, d.web)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := other.lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	applied, switched := make(chan error, 1), make(chan error, 1)
	go func() { _, err := d.Apply(t.Context(), Of(wanted("a", "one"))); applied <- err }()
	if holder := <-waits; holder != fmt.Sprint("pid ", os.Getpid()) {
		t.Errorf("it waits for %q", holder)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { switched <- d.Switch(ctx, "a", 1) }()
	cancel(errors.New("broken off"))
	if err := <-switched; err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("error is %v", err)
	}
	unlock()
	if err := <-applied; err != nil {
		t.Error(err)
	}
	if unlock, err = other.lock(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	defer unlock()
	go func() { _, err := d.Apply(t.Context(), Of(wanted("b", "one"))); applied <- err }()
	<-waits
	close(drain)
	var busy *BusyError
	if err := <-applied; !errors.As(err, &busy) || !strings.Contains(busy.Holder, fmt.Sprint(os.Getpid())) {
		t.Errorf("error is %v", err)
	}
}

package tenants

import (
	"errors"
	"testing"
)

func TestHint(t *testing.T) {
	if err := WithHint(nil, "run it again"); err != nil {
		t.Error(err)
	}
	if err := WithHint(errors.New("it failed"), ""); err.Error() != "it failed" {
		t.Errorf("an empty hint is added: %v", err)
	}
	err := WithHint(Selectf("there is no tenant %q", "a"), "name one")
	if err.Error() != `there is no tenant "a" (name one)` || !errors.Is(err, ErrSelect) || errors.Is(err, ErrNone) {
		t.Errorf("%v", err)
	}
	p := Problem{Message: `there is no tenant "a"`, Hint: "name one", Position: Position{File: "x", Line: 1, Column: 2}}
	if got, want := p.String(), "x:1:2: "+err.Error(); got != want {
		t.Errorf("a problem prints %q, an error %q", got, want)
	}
}

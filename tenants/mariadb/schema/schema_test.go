package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommon(t *testing.T) {
	one, two := Shape("column `a` int\n"), Shape("column `a` bigint\n")
	got := Common([]Schema{{"page": one, "user": one, "mine": one}, {"page": one, "user": two}, {"page": two, "user": Unknown}})
	if d := cmp.Diff(Schema{"page": one, "user": Unknown}, got); d != "" {
		t.Error(d)
	}
}

package templates

import "testing"

func BenchmarkRender(b *testing.B) {
	f := load(b, farmToml)
	s, d := set(b, ""), data(f, "btrfs")
	if _, err := s.Render(d); err != nil { // reads the codebase
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Render(d); err != nil {
			b.Fatal(err)
		}
	}
}

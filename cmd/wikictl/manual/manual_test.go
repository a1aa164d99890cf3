package manual

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// Every file of this folder is a topic, has a heading, and is linked by README.md.
func TestPages(t *testing.T) {
	files, err := fs.Glob(pages, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(Pages()) != len(files) {
		t.Errorf("%d topics, and %d files: %v", len(Pages()), len(files), files)
	}
	for _, p := range Pages() {
		if p.Title == "" || !strings.HasPrefix(p.Text, "# "+p.Title+"\n\n") {
			t.Errorf("%s does not begin with a heading: %.40q", p.Topic, p.Text)
		}
		if link := fmt.Sprintf("[%s](cmd/wikictl/manual/%[1]s.md)", p.Topic); !strings.Contains(string(readme), link) {
			t.Errorf("README.md lacks %s", link)
		}
	}
	if _, found := Find("../manual"); found {
		t.Error("a name that is no topic was found")
	}
}

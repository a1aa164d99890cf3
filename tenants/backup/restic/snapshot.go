package restic

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ourTag is a tag of all snapshots that wikictl makes.
const ourTag = "wikictl"

// Snapshot is a snapshot of a wiki, as its tags describe it.
type Snapshot struct {
	ID          string
	Taken       time.Time
	Farm        string // id of the farm
	Wiki        string
	Run         string // run that made it
	Version     string // MediaWiki version
	Bytes       int64  // size of its database and definition, as compressed
	Uploads     int    // number of files
	UploadBytes int64
}

// host returns the host name that a snapshot records. restic compares a new snapshot with the
// last one of the same host and folders, so the name is that of the farm, wherever it runs.
func (s Snapshot) host() string { return "wikictl-" + s.Farm }

// Tag returns the tag of a property, such as wiki=btrfs.
func Tag(name, value string) string { return name + "=" + value }

// tags returns a snapshot's tags, separated by commas.
func (s Snapshot) tags() string {
	return strings.Join([]string{
		ourTag, Tag("farm", s.Farm), Tag("wiki", s.Wiki), Tag("run", s.Run), Tag("version", s.Version),
		Tag("bytes", fmt.Sprint(s.Bytes)), Tag("uploads", fmt.Sprint(s.Uploads)), Tag("upload_bytes", fmt.Sprint(s.UploadBytes)),
	}, ",")
}

// hexadecimal matches a snapshot's id, or its beginning.
var hexadecimal = regexp.MustCompile(`^[0-9a-f]{8,64}$`)

// IsID reports whether a text has the form of a snapshot's id, or of its beginning.
func IsID(text string) bool { return hexadecimal.MatchString(text) }

// decode decodes the output of restic snapshots --json. Snapshots without the tags of a
// wiki's backup are left out.
func decode(out []byte) ([]Snapshot, error) {
	var found []struct {
		ID   string    `json:"id"`
		Time time.Time `json:"time"`
		Tags []string  `json:"tags"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("restic snapshots: %w", err)
	}
	var all []Snapshot
	for _, f := range found {
		s := Snapshot{ID: f.ID, Taken: f.Time.UTC()}
		for _, tag := range f.Tags {
			s.set(tag)
		}
		if slices.Contains(f.Tags, ourTag) && s.Wiki != "" && s.Run != "" && IsID(s.ID) {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Snapshot) int { return b.Taken.Compare(a.Taken) })
	return all, nil
}

// set sets the property of a tag.
func (s *Snapshot) set(tag string) {
	name, value, _ := strings.Cut(tag, "=")
	number, _ := strconv.ParseInt(value, 10, 64)
	switch name {
	case "farm":
		s.Farm = value
	case "wiki":
		s.Wiki = value
	case "run":
		s.Run = value
	case "version":
		s.Version = value
	case "bytes":
		s.Bytes = number
	case "uploads":
		s.Uploads = int(number)
	case "upload_bytes":
		s.UploadBytes = number
	}
}

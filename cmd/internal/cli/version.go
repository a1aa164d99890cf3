package cli

import (
	"fmt"
	"runtime/debug"
)

// version is the program's.
const version = "0.1.0"

// fullVersion is the version with the revision and the Go version that the program was
// built from, as far as the build noted them.
func fullVersion() string {
	info, known := debug.ReadBuildInfo()
	if !known {
		return version
	}
	return withBuild(*info)
}

// withBuild is the version, the revision, whether that was changed since, and Go's version.
func withBuild(info debug.BuildInfo) string {
	revision, modified := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	return fmt.Sprintf("%s (revision %s%s, %s)", version, revision, modified, info.GoVersion)
}

package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"wikictl/cmd/internal/cli"
	"wikictl/cmd/testbed/needs"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"wikictl": func() { os.Exit(cli.MainWith(hookFromEnvironment(), os.Args, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// tests removes what all tests share after the last one.
type tests struct{ *testing.M }

func (t tests) Run() int {
	defer func() { os.RemoveAll(prepared.dir); os.RemoveAll(newServer.dir) }()
	return t.M.Run()
}

// TestScripts runs the command line as a user does. Scripts see the MediaWiki
// trees below $CODEBASES.
func TestScripts(t *testing.T) {
	codebases := needs.Codebases(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("CODEBASES", codebases)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs wikictl and wants an exit code: exits 78 list.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGS…")
	}
	ts.Setenv("WANT", args[0])
	err := ts.Exec("sh", append([]string{"-c", `wikictl "$@"; got=$?; [ $got = $WANT ] || { echo "exit code $got, want $WANT" >&2; exit 1; }`, "sh"}, args[1:]...)...)
	if err != nil {
		ts.Fatalf("%v: wrong exit code, see above", args)
	}
}

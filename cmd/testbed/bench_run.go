package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// scripting measures how long it takes to run a maintenance script that does nothing for n
// wikis, in several ways: what is left is what starting it costs.
type scripting struct{ *upgrading }

// idle is the maintenance script that does nothing.
const idle = `<?php
require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';
class Idle extends Maintenance {
	public function execute() {
	}
}
$maintClass = Idle::class;
require_once RUN_MAINTENANCE_IF_MAIN;
`

func (b *scripting) run(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	defer b.stop(context.WithoutCancel(ctx)) // also what runs when prepare fails
	if err := b.prepare(ctx, func(context.Context) error { return nil }); err != nil {
		return err
	}
	script := filepath.Join(b.dir, "idle.php")
	if err := os.WriteFile(script, []byte(idle), 0o644); err != nil {
		return err
	}
	ways := []way{b.loop("run.php"+oneByOne, script, 1)}
	for _, p := range parallel {
		ways = append(ways, b.loop(fmt.Sprint("run.php", byXargs, p), script, p))
	}
	ways = append(ways, way{"wikictl run", []string{b.wikictl, "--farm", b.demo.Dir, "run", "--all", "--", script}})
	return b.table(ctx, "a script that does nothing", ways)
}

// loop runs a script for every wiki by MediaWiki's own runner, p at once.
func (b *scripting) loop(name, script string, p int) way {
	code := filepath.Join(b.codebases, "1.43")
	line := fmt.Sprintf("MW_INSTALL_PATH=%s MW_CONFIG_FILE=%s/state/wikis/w{}/current/LocalSettings.php php %[1]s/maintenance/run.php %[3]s", code, b.demo.Dir, script)
	return way{name, []string{"bash", "-euo", "pipefail", "-c", fmt.Sprintf("seq 0 %d | xargs -P%d -I{} sh -c '%s >/dev/null'", b.n-1, p, line)}}
}

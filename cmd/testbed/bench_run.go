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

func (b *scripting) run(ctx context.Context) error { return b.onWikis(ctx, nil, b.compare) }

func (b *scripting) compare(ctx context.Context) error {
	script := filepath.Join(b.dir, "idle.php")
	if err := os.WriteFile(script, []byte(idle), 0o644); err != nil {
		return err
	}
	ways := append(b.scripts("run.php", b.runner(script)), way{"wikictl run", b.wikictlOn(b.demo.Dir, "run", "--all", "--", script)})
	return b.table(ctx, "a script that does nothing", ways)
}

// runner returns the line that runs a script for a wiki by MediaWiki's own runner.
func (b *scripting) runner(script string) string {
	code := filepath.Join(b.codebases, "1.43")
	return fmt.Sprintf("MW_INSTALL_PATH=%s MW_CONFIG_FILE=%s/state/wikis/w{}/current/LocalSettings.php php %[1]s/maintenance/run.php %[3]s", code, b.demo.Dir, script)
}

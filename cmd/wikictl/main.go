// Command wikictl runs a farm of MediaWiki wikis from TOML definitions.
package main

import (
	"os"

	"wikictl/cmd/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

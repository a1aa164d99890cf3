package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// paging measures a page through rendered settings with operations, beside the same page
// through settings that were written by hand and say the same.
type paging struct{ serving }

// The wikis of the bench: the same definition, of which one is served by a file of hand. A
// third one is rendered without operations, to tell what they cost.
const (
	pageRendered = "w0"
	pageByHand   = "w1"
	pagePlain    = "w2"
)

// pageRequests is how often each wiki is asked in a round, one after the other in turn.
const pageRequests = 100

// pageOperations are 20 changes of defaults as definitions say them, and as people write
// them into LocalSettings.php.
var pageOperations = []struct{ toml, php string }{
	{`wgFileExtensions = { append = ["pdf", "svg"], remove = ["gif"] }`, `$wgFileExtensions = array_values( array_diff( $wgFileExtensions, [ 'gif' ] ) ); $wgFileExtensions[] = 'pdf'; $wgFileExtensions[] = 'svg';`},
	{`wgUrlProtocols = { prepend = ["appstream:"] }`, `array_unshift( $wgUrlProtocols, 'appstream:' );`},
	{`wgContentNamespaces = { append = [4] }`, `$wgContentNamespaces[] = 4;`},
	{`wgHiddenPrefs = { append = ["gender"] }`, `$wgHiddenPrefs[] = 'gender';`},
	{`wgAvailableRights = { append = ["editportal"] }`, `$wgAvailableRights[] = 'editportal';`},
	{`wgRestrictionLevels = { append = ["editportal"] }`, `$wgRestrictionLevels[] = 'editportal';`},
	{`wgRestrictionTypes = { remove = ["upload"] }`, `$wgRestrictionTypes = array_values( array_diff( $wgRestrictionTypes, [ 'upload' ] ) );`},
	{`wgCdnServersNoPurge = { append = ["192.0.2.0/24"] }`, `$wgCdnServersNoPurge[] = '192.0.2.0/24';`},
	{`wgTrustedMediaFormats = { append = ["image/x-icon"] }`, `$wgTrustedMediaFormats[] = 'image/x-icon';`},
	{`wgProhibitedFileExtensions = { append = ["xyz"] }`, `$wgProhibitedFileExtensions[] = 'xyz';`},
	{`wgNamespacesToBeSearchedDefault = { remove = ["15"] }`, `unset( $wgNamespacesToBeSearchedDefault[15] );`},
	{`wgGroupPermissions."*" = { replace = { read = true, createaccount = false } }`, `$wgGroupPermissions['*'] = [ 'read' => true, 'createaccount' => false ];`},
	{`wgAddGroups.sysop = { append = ["editor"] }`, `$wgAddGroups['sysop'][] = 'editor';`},
	{`wgRemoveGroups.sysop = { append = ["editor"] }`, `$wgRemoveGroups['sysop'][] = 'editor';`},
	{`wgRateLimits.edit = { replace = { newbie = [4, 60] } }`, `$wgRateLimits['edit'] = [ 'newbie' => [ 4, 60 ] ];`},
	{`wgGroupPermissions.confirmed = { copy = "autoconfirmed" }`, `$wgGroupPermissions['confirmed'] = $wgGroupPermissions['autoconfirmed'];`},
	{`wgGroupPermissions.editor = { copy = "sysop", patrol = false }`, `$wgGroupPermissions['editor'] = [ 'patrol' => false ] + $wgGroupPermissions['sysop']; $wgAddGroups['editor'] = $wgAddGroups['sysop']; $wgRemoveGroups['editor'] = $wgRemoveGroups['sysop'];`},
	{`wgGroupPermissions.interface-admin = { absent = true }`, `unset( $wgGroupPermissions['interface-admin'] );`},
	{`wgFooterIcons.poweredby = { absent = true }`, `unset( $wgFooterIcons['poweredby'] );`},
	{`wgGrantPermissions.oversight = { absent = true }`, `unset( $wgGrantPermissions['oversight'] );`},
}

// pageKept matches what hand-written settings say too: plain assignments and skins.
var pageKept = regexp.MustCompile(`(?m)^(?:\$wg\w+(?:\['\w+'\])? = .*;|wfLoad(?:Skin|Extension)\(.*\);)$`)

func (b *paging) run(ctx context.Context) (err error) {
	b.n = 3
	if b.demo, err = b.newFarm(b.n); err != nil {
		return err
	}
	if err := b.define(); err != nil {
		return err
	}
	stop, err := b.serve(ctx, b.demo)
	if err != nil {
		return err
	}
	defer stop()
	if err := b.byHand(ctx); err != nil {
		return err
	}
	if err := b.same(ctx); err != nil {
		return err
	}
	return b.measure(ctx)
}

// define adds the operations to the definitions of two wikis.
func (b *paging) define() error {
	operations := "[settings]\n"
	for _, o := range pageOperations {
		operations += o.toml + "\n"
	}
	for _, name := range []string{pageRendered, pageByHand} {
		if err := edit(definitionOf(b.demo.Dir, name), func(text string) string { return text + operations }); err != nil {
			return err
		}
	}
	return nil
}

// byHand replaces the settings of one wiki by a file of plain statements, and starts
// php-fpm anew, whose cached code would be the old file's.
func (b *paging) byHand(ctx context.Context) error {
	file := filepath.Join(b.demo.Dir, "state/wikis", pageByHand, "current/LocalSettings.php")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, _, _ := strings.Cut(string(text), "## Changes of what MediaWiki")
	lines := append([]string{"<?php"}, pageKept.FindAllString(before, -1)...)
	for _, o := range pageOperations {
		lines = append(lines, o.php)
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o640); err != nil {
		return err
	}
	if err := succeed("the settings of hand", exec.CommandContext(ctx, "php", "-l", file)); err != nil {
		return err
	}
	return b.restart(ctx)
}

// same wants both files to mean the same to MediaWiki.
func (b *paging) same(ctx context.Context) error {
	const about = "/api.php?action=query&meta=siteinfo&siprop=fileextensions%7Cusergroups%7Cprotocols%7Cnamespaces%7Crestrictions%7Cskins&format=json&formatversion=2"
	rendered, err := b.body(ctx, pageRendered, about)
	if err != nil {
		return err
	}
	byHand, err := b.body(ctx, pageByHand, about)
	if err != nil {
		return err
	}
	if one, other := strings.ReplaceAll(rendered, "Wiki 0", "Wiki"), strings.ReplaceAll(byHand, "Wiki 1", "Wiki"); one != other || !strings.Contains(one, "appstream:") {
		return fmt.Errorf("the two wikis are not set alike: %s\nand %s", one, other)
	}
	return nil
}

func (b *paging) measure(ctx context.Context) error {
	times := map[string][]float64{}
	for range 20 { // fill the caches
		for _, wiki := range []string{pageRendered, pageByHand, pagePlain} {
			if _, err := b.timed(ctx, wiki); err != nil {
				return err
			}
		}
	}
	fmt.Printf("a page through a LocalSettings.php with %d operations, medians of %d requests in turn, per round\n", len(pageOperations), pageRequests)
	fmt.Printf("%12s %12s %7s %21s\n", "rendered ms", "by hand ms", "ratio", "without operations ms")
	for range b.rounds {
		round := map[string][]float64{}
		for i := range pageRequests {
			order := []string{pageRendered, pageByHand, pagePlain}
			if i%2 == 1 {
				slices.Reverse(order)
			}
			for _, wiki := range order {
				took, err := b.timed(ctx, wiki)
				if err != nil {
					return err
				}
				round[wiki] = append(round[wiki], took)
				times[wiki] = append(times[wiki], took)
			}
		}
		printPages(round)
	}
	fmt.Println("all rounds")
	printPages(times)
	return nil
}

func printPages(times map[string][]float64) {
	of := func(wiki string) float64 { return 1000 * median(slices.Sorted(slices.Values(times[wiki]))) }
	rendered, byHand := of(pageRendered), of(pageByHand)
	fmt.Printf("%12.2f %12.2f %7.3f %21.2f\n", rendered, byHand, rendered/byHand, of(pagePlain))
}

// timed asks a wiki for its main page; the result is in seconds.
func (b *paging) timed(ctx context.Context, wiki string) (float64, error) {
	start := time.Now()
	_, err := b.body(ctx, wiki, "/wiki/Main_Page")
	return time.Since(start).Seconds(), err
}

// body requests a path of a wiki.
func (b *paging) body(ctx context.Context, wiki, path string) (string, error) {
	status, body, err := b.get(ctx, http.DefaultClient, wiki, path)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s%s: %d: %s", wiki, path, status, tail(body))
	}
	return string(body), err
}

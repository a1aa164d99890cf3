package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wikictl/tenants"
)

// flooding measures how long a wiki's page takes while another wiki is flooded, with a
// common pool of PHP and with one for each wiki.
type flooding struct{ serving }

// Of a flood: requests at the same time, each sent when the one before was answered, and a
// moment later when it was refused; the address that they come from, as limits do not count
// the machine's own; and how many pages of the other wiki are timed in a round.
const (
	floodConnections = 24
	floodPause       = 50 * time.Millisecond
	floodFrom        = "127.0.0.2"
	floodPages       = 15
)

// floodWay is one set-up: what wikictl.toml and the flooded wiki's file say.
type floodWay struct{ name, web, tenant string }

var floodWays = []floodWay{
	{"one pool for all wikis", "", ""},
	{"a pool for each wiki", "pools = true\n", ""},
	{"the same, pool.children = 1", "pools = true\n", "pool.children = 1\n"},
	{"the same, and limits.requests = \"5/s\"", "pools = true\n", "pool.children = 1\nlimits.requests = \"5/s\"\nlimits.burst = 10\n"},
}

func (b *flooding) run(ctx context.Context) (err error) {
	b.n = 2
	if b.demo, err = b.newFarm(b.n); err != nil {
		return err
	}
	b.demo.Web.Pools = filepath.Join(b.demo.Dir, "state/pools")
	stop, err := b.serve(ctx, b.demo)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("a page of one wiki while another gets %d requests at the same time, median of %d\n", floodConnections, b.rounds*floodPages)
	fmt.Printf("%-44s %9s %9s %7s %9s %9s\n", "", "quiet ms", "flood ms", "ratio", "answers/s", "refused/s")
	for _, w := range floodWays {
		if err := b.measure(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

// set writes the definitions of a way and applies them.
func (b *flooding) set(ctx context.Context, w floodWay) error {
	if err := b.tenants(b.demo.Dir, 0, b.n); err != nil {
		return err
	}
	if err := edit(definitionOf(b.demo.Dir, wikiName(0)), func(text string) string { return text + w.tenant }); err != nil {
		return err
	}
	err := edit(filepath.Join(b.demo.Dir, tenants.FarmFile), func(text string) string {
		before, after, _ := strings.Cut(text, "[web]\n")
		return before + "[web]\n" + w.web + strings.TrimPrefix(after, "pools = true\n")
	})
	if err != nil {
		return err
	}
	if err := succeed("wikictl render", program(ctx, b.wikictlOn(b.demo.Dir, "render", "--write", "--all"))); err != nil {
		return err
	}
	return b.restart(ctx)
}

func (b *flooding) measure(ctx context.Context, w floodWay) error {
	if err := b.set(ctx, w); err != nil {
		return err
	}
	if _, err := b.pages(ctx, 10); err != nil { // fill the caches
		return err
	}
	var quiet, flooded []float64
	var answers, refused int64
	var flood time.Duration
	for range b.rounds {
		times, err := b.pages(ctx, floodPages)
		if err != nil {
			return err
		}
		quiet = append(quiet, times...)
		end, counts := b.flood(ctx)
		start := time.Now()
		time.Sleep(time.Second) // until it is at its height
		times, err = b.pages(ctx, floodPages)
		flood += time.Since(start)
		end()
		if err != nil {
			return err
		}
		flooded = append(flooded, times...)
		answers, refused = answers+counts[0].Load(), refused+counts[1].Load()
	}
	slices.Sort(quiet)
	slices.Sort(flooded)
	q, f := median(quiet), median(flooded)
	fmt.Printf("%-44s %9.1f %9.1f %7.2f %9.1f %9.1f\n", w.name, 1000*q, 1000*f, f/q, float64(answers)/flood.Seconds(), float64(refused)/flood.Seconds())
	return nil
}

// pages times n requests for a page of the wiki that is not flooded, in seconds.
func (b *flooding) pages(ctx context.Context, n int) ([]float64, error) {
	times := make([]float64, n)
	for i := range times {
		start := time.Now()
		status, _, err := b.get(ctx, http.DefaultClient, wikiName(1), "/wiki/Main_Page")
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("the page of the other wiki: %d %w", status, err)
		}
		times[i] = time.Since(start).Seconds()
	}
	return times, nil
}

// flood floods the first wiki until end is called, and counts its good answers and others.
func (b *flooding) flood(ctx context.Context) (end func(), counts *[2]atomic.Int64) {
	ctx, cancel := context.WithCancel(ctx)
	counts = new([2]atomic.Int64)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(floodFrom)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: floodConnections}}
	var wait sync.WaitGroup
	for range floodConnections {
		wait.Go(func() {
			for ctx.Err() == nil {
				switch status, _, err := b.get(ctx, client, wikiName(0), "/wiki/Special:RecentChanges"); {
				case err != nil:
				case status == http.StatusOK:
					counts[0].Add(1)
				default:
					counts[1].Add(1)
					time.Sleep(floodPause)
				}
			}
		})
	}
	return func() {
		cancel()
		wait.Wait()
		client.CloseIdleConnections()
		time.Sleep(time.Second) // what php-fpm still works on
	}, counts
}

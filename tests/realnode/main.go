// realnode is a CometBFT and Cosmos SDK chain in one process, with Juno's prefix, denom and fee floor: the contract
// suite holds the sandbox's node against it. State is in memory. One JSON line on standard output tells when it is
// ready; it ends on SIGTERM, SIGINT, or when its standard input closes, so that it cannot outlive who started it.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"cosmossdk.io/depinject"
	"cosmossdk.io/log"
	"cosmossdk.io/math"
	pruningtypes "cosmossdk.io/store/pruning/types"
	cmtdb "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/proxy"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"

	authmodulev1 "cosmossdk.io/api/cosmos/auth/module/v1"
	"cosmossdk.io/core/appconfig"

	appv1alpha1 "cosmossdk.io/api/cosmos/app/v1alpha1"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/testutil/configurator"
	sdk "github.com/cosmos/cosmos-sdk/types"
	_ "github.com/cosmos/cosmos-sdk/x/auth"
	_ "github.com/cosmos/cosmos-sdk/x/auth/tx/config"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	_ "github.com/cosmos/cosmos-sdk/x/authz/module"
	_ "github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	_ "github.com/cosmos/cosmos-sdk/x/consensus"
	_ "github.com/cosmos/cosmos-sdk/x/params"
	_ "github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

const (
	prefix = "juno"
	denom  = "ujuno"
	// A denom that nobody lists, in amounts above 64 bits.
	unlisted = "uother"
	// What the pruning node keeps, in blocks.
	kept = 10
)

type options struct {
	chainID    string
	home       string
	gasPrices  string
	blockTime  time.Duration
	validators int
	pruning    bool
	verbose    bool
}

// announcement is the one line on standard output.
type announcement struct {
	ChainID    string   `json:"chain_id"`
	RPC        []string `json:"rpc"`
	PrunedRPC  string   `json:"pruned_rpc"`
	Faucet     string   `json:"faucet"`
	FaucetKey  string   `json:"faucet_key"`
	Validators []string `json:"validators"`
	Home       string   `json:"home"`
}

func main() {
	var o options
	flag.StringVar(&o.chainID, "chain-id", "moneta-real-1", "chain id")
	flag.StringVar(&o.home, "home", "", "directory for configuration and logs; a temporary one by default")
	flag.StringVar(&o.gasPrices, "min-gas-prices", "0.075"+denom, "fee floor of every node")
	flag.DurationVar(&o.blockTime, "block-time", 300*time.Millisecond, "pause after each commit")
	flag.IntVar(&o.validators, "validators", 1, "how many nodes sign")
	flag.BoolVar(&o.pruning, "pruning", false, "add a node that does not sign and forgets old blocks and states")
	flag.BoolVar(&o.verbose, "verbose", false, "log to standard error")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "realnode:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.home == "" {
		home, err := os.MkdirTemp("", "realnode")
		if err != nil {
			return err
		}
		defer os.RemoveAll(home)
		o.home = home
	}
	over := make(chan os.Signal, 2)
	signal.Notify(over, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		over <- syscall.SIGTERM
	}()

	useJunoNames()
	faucet := secp256k1.GenPrivKeyFromSecret([]byte("the faucet of a play chain"))
	peers, err := newPeers(o)
	if err != nil {
		return err
	}
	genesis, err := newGenesis(o, peers, faucet)
	if err != nil {
		return err
	}
	for _, p := range peers {
		if err := p.start(o, genesis, peers); err != nil {
			return err
		}
		defer p.stop()
	}
	for peers[len(peers)-1].node.BlockStore().Height() < 2 {
		select {
		case <-over:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := announce(o, peers, faucet); err != nil {
		return err
	}
	<-over
	return nil
}

func announce(o options, peers []*peer, faucet *secp256k1.PrivKey) error {
	line := announcement{
		ChainID:   o.chainID,
		Faucet:    sdk.AccAddress(faucet.PubKey().Address()).String(),
		FaucetKey: hex.EncodeToString(faucet.Bytes()),
		Home:      o.home,
	}
	for _, p := range peers {
		if p.forgets {
			line.PrunedRPC = p.rpcURL()
			continue
		}
		line.RPC = append(line.RPC, p.rpcURL())
		line.Validators = append(line.Validators, p.signer.GetAddress().String())
	}
	return json.NewEncoder(os.Stdout).Encode(line)
}

// useJunoNames must come before any configuration is made: defaults of the SDK are read from these globals.
func useJunoNames() {
	sdk.DefaultBondDenom = denom
	names := sdk.GetConfig()
	names.SetBech32PrefixForAccount(prefix, prefix+"pub")
	names.SetBech32PrefixForValidator(prefix+"valoper", prefix+"valoperpub")
	names.SetBech32PrefixForConsensusNode(prefix+"valcons", prefix+"valconspub")
	names.Seal()
}

// authModule is configurator.AuthModule with the chain's own prefix.
func authModule(config *configurator.Config) {
	config.ModuleConfigs["auth"] = &appv1alpha1.ModuleConfig{
		Name: "auth",
		Config: appconfig.WrapAny(&authmodulev1.Module{
			Bech32Prefix: prefix,
			ModuleAccountPermissions: []*authmodulev1.ModuleAccountPermission{
				{Account: authtypes.FeeCollectorName},
				{Account: stakingtypes.BondedPoolName, Permissions: []string{"burner", "staking"}},
				{Account: stakingtypes.NotBondedPoolName, Permissions: []string{"burner", "staking"}},
			},
		}),
	}
}

// newApp builds the application; its chain id and fee floor have to be set here, the SDK's test network leaves them.
func newApp(o options, changes ...func(*baseapp.BaseApp)) (*runtime.App, codec.Codec, error) {
	var builder *runtime.AppBuilder
	var cdc codec.Codec
	var registry codectypes.InterfaceRegistry
	modules := configurator.NewAppConfig(
		authModule, configurator.ParamsModule(), configurator.BankModule(),
		configurator.StakingModule(), configurator.ConsensusModule(), configurator.TxModule(), configurator.AuthzModule(),
	)
	logger := log.NewNopLogger()
	if err := depinject.Inject(depinject.Configs(modules, depinject.Supply(logger)), &builder, &cdc, &registry); err != nil {
		return nil, nil, err
	}
	changes = append(changes, baseapp.SetChainID(o.chainID), baseapp.SetMinGasPrices(o.gasPrices))
	app := builder.Build(dbm.NewMemDB(), nil, changes...)
	app.RegisterTxService(client.Context{InterfaceRegistry: registry, Codec: cdc, ChainID: o.chainID})
	return app, cdc, app.Load(true)
}

// newGenesis gives the faucet everything, and each validator one unit of voting power.
func newGenesis(o options, peers []*peer, faucet *secp256k1.PrivKey) (*cmttypes.GenesisDoc, error) {
	app, cdc, err := newApp(o)
	if err != nil {
		return nil, err
	}
	owner := sdk.AccAddress(faucet.PubKey().Address())
	riches, _ := math.NewIntFromString("1" + strings.Repeat("0", 30))
	owned := sdk.NewCoins(sdk.NewCoin(denom, math.NewInt(1_000_000_000_000_000)), sdk.NewCoin(unlisted, riches))
	validators, delegations, bonded, err := newStakes(peers, owner)
	if err != nil {
		return nil, err
	}
	state := app.DefaultGenesis()
	state["auth"] = cdc.MustMarshalJSON(authtypes.NewGenesisState(
		authtypes.DefaultParams(), authtypes.GenesisAccounts{authtypes.NewBaseAccount(owner, nil, 0, 0)}))
	state["staking"] = cdc.MustMarshalJSON(
		stakingtypes.NewGenesisState(stakingtypes.DefaultParams(), validators, delegations))
	pool := authtypes.NewModuleAddress(stakingtypes.BondedPoolName)
	state["bank"] = cdc.MustMarshalJSON(banktypes.NewGenesisState(
		banktypes.DefaultParams(),
		[]banktypes.Balance{
			{Address: owner.String(), Coins: owned},
			{Address: pool.String(), Coins: sdk.NewCoins(sdk.NewCoin(denom, bonded))},
		},
		nil, nil, nil))
	text, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	params := cmttypes.DefaultConsensusParams()
	params.Evidence.MaxAgeNumBlocks = kept // blocks younger than this are never pruned
	return &cmttypes.GenesisDoc{
		GenesisTime: time.Now(), ChainID: o.chainID, InitialHeight: 1, ConsensusParams: params, AppState: text,
	}, nil
}

func newStakes(
	peers []*peer, owner sdk.AccAddress,
) (validators []stakingtypes.Validator, delegations []stakingtypes.Delegation, bonded math.Int, err error) {
	bonded = math.ZeroInt()
	for _, p := range peers {
		if p.forgets {
			continue
		}
		key, err := cryptocodec.FromCmtPubKeyInterface(p.signer.Key.PubKey)
		if err != nil {
			return nil, nil, bonded, err
		}
		operator := sdk.ValAddress(p.signer.GetAddress()).String()
		v, err := stakingtypes.NewValidator(operator, key, stakingtypes.NewDescription(p.name, "", "", "", ""))
		if err != nil {
			return nil, nil, bonded, err
		}
		v.Status, v.Tokens, v.DelegatorShares = stakingtypes.Bonded, sdk.DefaultPowerReduction, math.LegacyOneDec()
		validators = append(validators, v)
		delegations = append(delegations, stakingtypes.NewDelegation(owner.String(), operator, math.LegacyOneDec()))
		bonded = bonded.Add(v.Tokens)
	}
	return validators, delegations, bonded, nil
}

// peer is one node of the network, all of them in this process and on the loopback interface.
type peer struct {
	name    string
	forgets bool
	config  *cmtcfg.Config
	signer  *privval.FilePV
	key     *p2p.NodeKey
	node    *node.Node
}

func newPeers(o options) ([]*peer, error) {
	var peers []*peer
	for i := range o.validators {
		peers = append(peers, &peer{name: fmt.Sprintf("node%d", i)})
	}
	if o.pruning {
		peers = append(peers, &peer{name: "forgetful", forgets: true})
	}
	ports, err := freePorts(2 * len(peers))
	if err != nil {
		return nil, err
	}
	for i, p := range peers {
		p.config = newConfig(o, filepath.Join(o.home, p.name), ports[2*i], ports[2*i+1])
		p.signer = privval.GenFilePV(p.config.PrivValidatorKeyFile(), p.config.PrivValidatorStateFile())
		p.key = &p2p.NodeKey{PrivKey: cmted25519.GenPrivKey()}
	}
	return peers, nil
}

func newConfig(o options, home string, rpc, gossip int) *cmtcfg.Config {
	config := cmtcfg.DefaultConfig()
	cmtcfg.EnsureRoot(home)
	config.SetRoot(home)
	config.Moniker = filepath.Base(home)
	config.RPC.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", rpc)
	config.P2P.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", gossip)
	config.P2P.AddrBookStrict, config.P2P.AllowDuplicateIP, config.P2P.PexReactor = false, true, false
	config.Consensus.TimeoutCommit = o.blockTime
	// The peers share a machine: what saves traffic between continents would only slow the blocks down.
	config.Consensus.PeerGossipSleepDuration = 5 * time.Millisecond
	config.P2P.FlushThrottleTimeout = 2 * time.Millisecond
	return config
}

// freePorts asks for all ports before it gives any back, so that no two are the same.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (p *peer) rpcURL() string {
	return strings.Replace(p.config.RPC.ListenAddress, "tcp://", "http://", 1)
}

func (p *peer) start(o options, genesis *cmttypes.GenesisDoc, peers []*peer) error {
	var others []string
	for _, other := range peers {
		if !bytes.Equal(other.key.PubKey().Bytes(), p.key.PubKey().Bytes()) {
			address := strings.TrimPrefix(other.config.P2P.ListenAddress, "tcp://")
			others = append(others, p2p.IDAddressString(other.key.ID(), address))
		}
	}
	p.config.P2P.PersistentPeers = strings.Join(others, ",")
	var changes []func(*baseapp.BaseApp)
	if p.forgets {
		changes = append(changes,
			baseapp.SetPruning(pruningtypes.NewCustomPruningOptions(kept, kept)), baseapp.SetMinRetainBlocks(kept))
	}
	app, _, err := newApp(o, changes...)
	if err != nil {
		return err
	}
	logger := cmtlog.NewNopLogger()
	if o.verbose {
		logger = cmtlog.NewTMLogger(os.Stderr).With("node", p.name)
	}
	p.node, err = node.NewNode(
		p.config, p.signer, p.key, proxy.NewLocalClientCreator(server.NewCometABCIWrapper(app)),
		func() (*cmttypes.GenesisDoc, error) { return genesis, nil },
		func(*cmtcfg.DBContext) (cmtdb.DB, error) { return cmtdb.NewMemDB(), nil },
		node.DefaultMetricsProvider(p.config.Instrumentation), logger)
	if err != nil {
		return err
	}
	return p.node.Start()
}

func (p *peer) stop() {
	if p.node.IsRunning() {
		_ = p.node.Stop()
		p.node.Wait()
	}
}

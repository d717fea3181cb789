"""A session of a Python client of Interactive Brokers with the simulated gateway.

usage: interop.py MODULE PORT     MODULE is ib_async or ib_insync

Prints one JSON object of what it saw.
"""
import importlib
import json
import sys

module = importlib.import_module(sys.argv[1])
IB, Stock, MarketOrder, LimitOrder, Order = (
    module.IB, module.Stock, module.MarketOrder, module.LimitOrder, module.Order)

errors = []
ib = IB()
ib.errorEvent += lambda reqId, code, message, contract: errors.append(code)
ib.RaiseRequestErrors = False
ib.connect('127.0.0.1', int(sys.argv[2]), clientId=11, timeout=30)
seen = {'version': ib.client.serverVersion(), 'accounts': ib.managedAccounts()}


def wait(condition, what):
    for _ in range(600):
        if condition():
            return
        ib.sleep(0.05)
    raise SystemExit(f'{what} did not come; errors {errors}')


contract = Stock('SYN', 'SMART', 'USD')
seen['qualified'] = len(ib.qualifyContracts(contract))
details = ib.reqContractDetails(contract)[0]
seen['minTick'] = details.minTick
seen['rule'] = len(ib.reqMarketRule(int(details.marketRuleIds.split(',')[0])))
seen['summary'] = sorted({value.tag for value in ib.accountSummary()} & {'NetLiquidation', 'BuyingPower'})
seen['values'] = len(ib.accountValues()) > 0
ticker = ib.reqMktData(contract)
wait(lambda: ticker.bid > 0 and ticker.ask > 0 and ticker.last > 0, 'a quote')
seen['spread'] = ticker.ask > ticker.bid
seen['snapshot'] = ib.reqTickers(contract)[0].bid > 0
live = ib.reqHistoricalData(contract, '', '3600 S', '1 min', 'TRADES', True, keepUpToDate=True)
bars = ib.reqRealTimeBars(contract, 5, 'TRADES', True)
wait(lambda: len(live) > 0 and len(bars) > 1, 'bars')
seen['head'] = str(ib.reqHeadTimeStamp(contract, 'TRADES', True))[:10]
seen['schedule'] = len(ib.reqHistoricalSchedule(contract, 1).sessions)
seen['time'] = ib.reqCurrentTime().year
seen['ticks'] = len(ib.reqHistoricalTicks(contract, '20240103 09:30:00 US/Eastern', '', 5, 'TRADES', True)) > 0
what_if = ib.whatIfOrder(contract, LimitOrder('BUY', 100, 100))
seen['whatIf'] = float(what_if.initMarginChange) > 0 and what_if.commission > 0

market = ib.placeOrder(contract, MarketOrder('BUY', 100))
wait(lambda: market.isDone() and len(market.fills) > 0 and market.fills[0].commissionReport.execId != '', 'a fill')
seen['market'] = [market.orderStatus.status, market.orderStatus.filled, market.fills[0].commissionReport.commission]
wait(lambda: len(ib.positions()) > 0, 'a position')
seen['position'] = ib.positions()[0].position

low, high = round(ticker.bid - 5, 2), round(ticker.ask + 5, 2)
bracket = [ib.placeOrder(contract, order)
           for order in ib.bracketOrder('BUY', 50, round(ticker.ask + 1, 2), high, low)]
wait(lambda: bracket[0].isDone() and bracket[1].orderStatus.status == 'Submitted', 'a bracket')
seen['bracket'] = [trade.orderStatus.status for trade in bracket]

limit = ib.placeOrder(contract, LimitOrder('BUY', 10, low))
wait(lambda: limit.orderStatus.status == 'Submitted', 'a limit order')
limit.order.lmtPrice = round(low - 1, 2)
ib.placeOrder(contract, limit.order)
ib.sleep(0.2)
ib.cancelOrder(limit.order)
wait(limit.isDone, 'a cancel')
seen['limit'] = [limit.orderStatus.status, limit.order.lmtPrice == round(low - 1, 2)]

trail = ib.placeOrder(contract, Order(action='SELL', orderType='TRAIL', totalQuantity=10, auxPrice=2.0))
wait(lambda: trail.orderStatus.status == 'PreSubmitted', 'a trailing stop')
pnl = ib.reqPnL(seen['accounts'][0])
wait(lambda: pnl.dailyPnL == pnl.dailyPnL, 'P&L')
ib.reqGlobalCancel()
wait(lambda: not ib.openTrades(), 'a global cancel')
seen['executions'] = len(ib.reqExecutions())
seen['completed'] = len(ib.reqCompletedOrders(False))
seen['unknown'] = ib.reqContractDetails(Stock('NOPE', 'SMART', 'USD'))
ib.disconnect()

ib.connect('127.0.0.1', int(sys.argv[2]), clientId=11, timeout=30)
seen['again'] = [position.position for position in ib.positions()]
ib.disconnect()
seen['errors'] = sorted(set(errors) - {2104, 2106, 2158})
print(json.dumps(seen))
